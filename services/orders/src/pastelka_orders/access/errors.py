"""Errors of authentication and authorization."""

from collections.abc import Mapping

from pastelka_orders.errors import ConflictError, NotFoundError, OrdersError


class SignInRequiredError(OrdersError, status=401, code="sign_in_required", title="Sign in first"):
    """The request is not authenticated."""

    def __init__(self, detail: str = "Sign in, or send an API token as `Authorization: Bearer`.") -> None:
        super().__init__(detail)

    @property
    def headers(self) -> Mapping[str, str]:
        """How to be known, which RFC 9110 asks for with each 401; true for this very moment only."""
        return {"WWW-Authenticate": 'Bearer realm="pastelka"', "Cache-Control": "no-store"}


class BadCredentialsError(SignInRequiredError, code="bad_credentials", title="Name or password is wrong"):
    """No user by that name with that password; which of the two is not said."""

    def __init__(self) -> None:
        super().__init__("There is no user with this name and this password.")


class TooManyAttemptsError(OrdersError, status=429, code="too_many_attempts", title="Too many attempts"):
    """Too many failed attempts to sign in, for a name or from an address."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many attempts to sign in failed; try again in {seconds} s.")
        self._seconds = seconds

    @property
    def headers(self) -> Mapping[str, str]:
        """When to try again."""
        return {"Retry-After": str(self._seconds)}


class PasswordsDisabledError(ConflictError, code="no_passwords"):
    """Password sign-in is disabled."""

    def __init__(self, mode: str) -> None:
        super().__init__(f"Password sign-in is disabled: AUTH_MODE is {mode}.")


class ForbiddenError(OrdersError, status=403, code="forbidden", title="Not allowed"):
    """Known, and not allowed."""


class OperatorRequiredError(ForbiddenError, code="operator_required"):
    """A viewer asks for a change."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is a viewer here; this needs an operator.")


class ScopeMissingError(ForbiddenError, code="scope_missing"):
    """A token for reading asks for a change."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The token {name} has the scope read; this needs one with write.")


class UserNotAllowedError(ForbiddenError, code="not_admitted"):
    """The proxy authenticated a user that has no role here."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is neither in AUTH_PROXY_OPERATORS nor in AUTH_PROXY_VIEWERS; ask who runs this."
        )


class CrossSiteRequestError(ForbiddenError, code="wrong_origin"):
    """A page of another site asks for a change."""

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"A page of {origin} asks for this, which is not this site; ALLOWED_ORIGINS can name others."
        )


class LocalOnlyError(ForbiddenError, code="local_only"):
    """Without a lock, only this very machine may ask."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is not this machine, and AUTH_MODE is open, which is for this machine only; "
            "set AUTH_MODE to password or proxy to be reached from elsewhere."
        )


class UserNotFoundError(NotFoundError, code="user_not_found"):
    """No such user."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no user {name!r}.")


class UserExistsError(ConflictError, code="user_exists"):
    """The name is taken."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a user {name!r} already; `users passwd` sets another password.")


class WeakPasswordError(OrdersError, status=422, code="password_refused", title="The password was refused"):
    """A password that is not allowed."""


class TokenNotFoundError(NotFoundError, code="token_not_found"):
    """No such token that is not revoked."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no token {name!r} that is not revoked.")


class TokenExistsError(ConflictError, code="token_exists"):
    """The name is taken."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a token {name!r} already; revoke it, or choose another name.")
