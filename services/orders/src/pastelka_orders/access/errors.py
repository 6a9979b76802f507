"""Errors of authentication and authorization."""

from collections.abc import Mapping

from pastelka_orders.errors import ConflictError, NotFoundError, OrdersError


class SignInRequiredError(OrdersError, status=401, code="sign_in_required", title="Sign in first"):
    """The request is not authenticated."""

    def __init__(self, detail: str = "Sign in, or send an API token as `Authorization: Bearer`.") -> None:
        super().__init__(detail)

    @property
    def headers(self) -> Mapping[str, str]:
        """The challenge that RFC 9110 requires with each 401; not cacheable."""
        return {"WWW-Authenticate": 'Bearer realm="pastelka"', "Cache-Control": "no-store"}


class BadCredentialsError(SignInRequiredError, code="bad_credentials", title="Name or password is wrong"):
    """Wrong name or password; the message does not say which."""

    def __init__(self) -> None:
        super().__init__("No user with this name and password.")


class TooManyAttemptsError(OrdersError, status=429, code="too_many_attempts", title="Too many attempts"):
    """Too many failed attempts to sign in, for a name or from an address."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many failed sign-in attempts; try again in {seconds} s.")
        self._seconds = seconds

    @property
    def headers(self) -> Mapping[str, str]:
        """``Retry-After`` in seconds."""
        return {"Retry-After": str(self._seconds)}


class PasswordsDisabledError(ConflictError, code="no_passwords"):
    """Password sign-in is disabled."""

    def __init__(self, mode: str) -> None:
        super().__init__(f"Password sign-in is disabled: AUTH_MODE is {mode}.")


class ForbiddenError(OrdersError, status=403, code="forbidden", title="Not allowed"):
    """The principal is authenticated but lacks permission."""


class OperatorRequiredError(ForbiddenError, code="operator_required"):
    """A viewer requested a change."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is a viewer; this requires the role operator.")


class ScopeMissingError(ForbiddenError, code="scope_missing"):
    """A read-only token requested a change."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The token {name} has the scope read; this requires write.")


class UserNotAllowedError(ForbiddenError, code="not_admitted"):
    """The proxy authenticated a user that has no role here."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is in neither AUTH_PROXY_OPERATORS nor AUTH_PROXY_VIEWERS; contact the administrator."
        )


class CrossSiteRequestError(ForbiddenError, code="wrong_origin"):
    """A page of another site requested a change."""

    def __init__(self, origin: str) -> None:
        super().__init__(f"Cross-site request from {origin}; add the site to ALLOWED_ORIGINS to allow it.")


class LocalOnlyError(ForbiddenError, code="local_only"):
    """Without authentication, only requests from this machine are allowed."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is not this machine, and AUTH_MODE=open allows local requests only; "
            "set AUTH_MODE to password or proxy to allow remote ones."
        )


class UserNotFoundError(NotFoundError, code="user_not_found"):
    """No such user."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No user {name!r}.")


class UserExistsError(ConflictError, code="user_exists"):
    """The name is already in use."""

    def __init__(self, name: str) -> None:
        super().__init__(f"User {name!r} already exists; `users passwd` changes the password.")


class WeakPasswordError(OrdersError, status=422, code="password_refused", title="The password was refused"):
    """The password violates the policy."""


class TokenNotFoundError(NotFoundError, code="token_not_found"):
    """No active token has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No active token {name!r}.")


class TokenExistsError(ConflictError, code="token_exists"):
    """The name is already in use."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Token {name!r} already exists; revoke it, or choose another name.")
