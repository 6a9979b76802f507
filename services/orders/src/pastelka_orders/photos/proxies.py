"""Other ways to a photo, for hosts that refuse ours: HTTP proxies, tried in their order."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FilePath, SecretStr
from yarl import URL

from pastelka_common.errors import JobError, TransientError

_REFUSALS = {"photo_access_refused"}


class ProxySettings(BaseModel):
    """``PROXY_<n>_HOST`` and its like. ``certificate``: the file of the authority of one that reads TLS."""

    model_config = ConfigDict(hide_input_in_errors=True)

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)]
    username: str | None = Field(default=None, repr=False)
    password: SecretStr | None = None
    certificate: FilePath | None = None


@dataclass(frozen=True)
class Proxy:
    """One proxy: its ``url`` with the login; ``authority`` is the file of the authority it signs with."""

    url: URL = field(repr=False)
    authority: Path | None = None

    @cached_property
    def tls(self) -> ssl.SSLContext | bool:
        """What certificates are believed behind it."""
        if self.authority is None:
            return True
        context = ssl.create_default_context()
        context.load_verify_locations(self.authority)
        # Such authorities are older than the rules on their form.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context


def proxies_of(settings: Mapping[str, ProxySettings]) -> list[Proxy]:
    """The proxies, by their numbers."""
    return [_proxy(settings[number]) for number in sorted(settings, key=int)]


def _proxy(settings: ProxySettings) -> Proxy:
    password = settings.password.get_secret_value() if settings.password else None
    url = URL.build(
        scheme="http", host=settings.host, port=settings.port, user=settings.username, password=password
    )
    return Proxy(url, settings.certificate)


def may_help(error: JobError, proxies: Sequence[Proxy]) -> bool:
    """Whether it makes sense to try another way."""
    return bool(proxies) and (isinstance(error, TransientError) or error.code in _REFUSALS)
