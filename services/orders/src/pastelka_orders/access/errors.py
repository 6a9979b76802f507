"""Errors of authentication and authorization."""

from collections.abc import Mapping

from pastelka_orders.errors import ConflictError, NotFoundError, OrdersError


class SignInRequiredError(OrdersError):
    """The request is not authenticated."""

    status = 401
    code = "sign_in_required"
    title = "Sign in first"

    def __init__(self, detail: str = "Sign in, or send an API token as `Authorization: Bearer`.") -> None:
        super().__init__(detail)

    @property
    def headers(self) -> Mapping[str, str]:
        """How to be known, which RFC 9110 asks for with each 401; true for this very moment only."""
        return {"WWW-Authenticate": 'Bearer realm="pastelka"', "Cache-Control": "no-store"}


class BadCredentialsError(SignInRequiredError):
    """No user by that name with that password; which of the two is not said."""

    code = "bad_credentials"
    title = "Name or password is wrong"

    def __init__(self) -> None:
        super().__init__("There is no user with this name and this password.")


class TooManyAttemptsError(OrdersError):
    """Too many failed attempts to sign in, for a name or from an address."""

    status = 429
    code = "too_many_attempts"
    title = "Too many attempts"

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many attempts to sign in failed; try again in {seconds} s.")
        self._seconds = seconds

    @property
    def headers(self) -> Mapping[str, str]:
        """When to try again."""
        return {"Retry-After": str(self._seconds)}


class PasswordsDisabledError(ConflictError):
    """Password sign-in is disabled."""

    code = "no_passwords"

    def __init__(self, mode: str) -> None:
        super().__init__(f"Password sign-in is disabled: AUTH_MODE is {mode}.")


class ForbiddenError(OrdersError):
    """Known, and not allowed."""

    status = 403
    code = "forbidden"
    title = "Not allowed"


class OperatorRequiredError(ForbiddenError):
    """A viewer asks for a change."""

    code = "operator_required"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is a viewer here; this needs an operator.")


class ScopeMissingError(ForbiddenError):
    """A token for reading asks for a change."""

    code = "scope_missing"

    def __init__(self, name: str) -> None:
        super().__init__(f"The token {name} has the scope read; this needs one with write.")


class UserNotAllowedError(ForbiddenError):
    """The proxy authenticated a user that has no role here."""

    code = "not_admitted"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is neither in AUTH_PROXY_OPERATORS nor in AUTH_PROXY_VIEWERS; ask who runs this."
        )


class CrossSiteRequestError(ForbiddenError):
    """A page of another site asks for a change."""

    code = "wrong_origin"

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"A page of {origin} asks for this, which is not this site; ALLOWED_ORIGINS can name others."
        )


class LocalOnlyError(ForbiddenError):
    """Without a lock, only this very machine may ask."""

    code = "local_only"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is not this machine, and AUTH_MODE is open, which is for this machine only; "
            "set AUTH_MODE to password or proxy to be reached from elsewhere."
        )


class UserNotFoundError(NotFoundError):
    """No such user."""

    code = "user_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no user {name!r}.")


class UserExistsError(ConflictError):
    """The name is taken."""

    code = "user_exists"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a user {name!r} already; `users passwd` sets another password.")


class WeakPasswordError(OrdersError):
    """A password that is not allowed."""

    status = 422
    code = "password_refused"
    title = "The password was refused"


class TokenNotFoundError(NotFoundError):
    """No such token that is not revoked."""

    code = "token_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no token {name!r} that is not revoked.")


class TokenExistsError(ConflictError):
    """The name is taken."""

    code = "token_exists"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a token {name!r} already; revoke it, or choose another name.")
