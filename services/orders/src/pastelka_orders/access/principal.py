"""Principals and their roles. Pure."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["viewer", "operator"]
"""A viewer may read; an operator may also change."""
Scope = Literal["read", "write"]
"""Scope of an API token: ``read`` as a viewer, ``write`` as an operator."""
PrincipalKind = Literal["open", "user", "proxy", "token"]

ROLE_OF_SCOPE: dict[Scope, Role] = {"read": "viewer", "write": "operator"}


@dataclass(frozen=True, slots=True)
class Principal:
    """A user or client that may use the API; ``kind`` is how it authenticated."""

    name: str
    kind: PrincipalKind
    role: Role

    @property
    def may_change(self) -> bool:
        """Whether the principal may change data."""
        return self.role == "operator"


OPEN_PRINCIPAL = Principal("open", "open", "operator")
"""The principal of every request while ``AUTH_MODE`` is ``open``."""
