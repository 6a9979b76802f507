"""Who asks, and what they may do. Pure."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["viewer", "operator"]
"""A viewer looks; an operator changes."""
Scope = Literal["read", "write"]
"""What an API token is good for: as a viewer, as an operator."""
PrincipalKind = Literal["open", "user", "proxy", "token"]

ROLE_OF_SCOPE: dict[Scope, Role] = {"read": "viewer", "write": "operator"}


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who may use the API. ``kind`` says by what they are known."""

    name: str
    kind: PrincipalKind
    role: Role

    @property
    def may_change(self) -> bool:
        """Whether they may do more than look."""
        return self.role == "operator"


OPEN_PRINCIPAL = Principal("open", "open", "operator")
"""Whoever asks while ``AUTH_MODE`` is ``open``."""
