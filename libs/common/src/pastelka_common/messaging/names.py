"""Names of streams, buckets and subjects on the server, with a prefix for shared accounts.

The code uses the plain names (``JOBS``, ``jobs.svg.7``). The prefix is added when names are sent to the
server and removed when they are received, so that several systems can share one NATS account. Consumers need
no prefix: they belong to a stream.
"""

from dataclasses import dataclass

from nats.aio.client import Client

PREFIX_PATTERN = r"^[A-Za-z0-9-]{0,32}$"

_BUCKET_STREAM = "KV_"
_BUCKET_SUBJECT = "$KV."


@dataclass(frozen=True, slots=True)
class Names:
    """Translates names; an empty ``prefix`` changes nothing."""

    prefix: str = ""

    def stream(self, plain: str) -> str:
        """``JOBS`` -> ``shop_JOBS``; ``KV_CANCELS`` -> ``KV_shop_CANCELS``."""
        if not self.prefix:
            return plain
        if plain.startswith(_BUCKET_STREAM):
            return f"{_BUCKET_STREAM}{self.bucket(plain.removeprefix(_BUCKET_STREAM))}"
        return f"{self.prefix}_{plain}"

    def bucket(self, plain: str) -> str:
        """``CANCELS`` -> ``shop_CANCELS``."""
        return f"{self.prefix}_{plain}" if self.prefix else plain

    def subject(self, plain: str) -> str:
        """``jobs.svg.7`` -> ``shop.jobs.svg.7``; ``$KV.CANCELS.x`` -> ``$KV.shop_CANCELS.x``."""
        if not self.prefix:
            return plain
        if plain.startswith(_BUCKET_SUBJECT):
            return f"{_BUCKET_SUBJECT}{self.prefix}_{plain.removeprefix(_BUCKET_SUBJECT)}"
        return f"{self.prefix}.{plain}"

    def plain_subject(self, subject: str) -> str:
        """The reverse of :meth:`subject`; a subject without the prefix is unchanged."""
        if self.prefix and subject.startswith(_BUCKET_SUBJECT):
            return _BUCKET_SUBJECT + subject.removeprefix(_BUCKET_SUBJECT).removeprefix(f"{self.prefix}_")
        return subject.removeprefix(f"{self.prefix}.") if self.prefix else subject


class NamedClient(Client):
    """A client with the prefix of its system."""

    names = Names()


def names_of(nc: Client) -> Names:
    """The naming scheme of a client."""
    return nc.names if isinstance(nc, NamedClient) else Names()
