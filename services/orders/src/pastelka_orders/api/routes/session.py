"""Session: sign-in, sign-out, and the gateway's authentication check."""

from typing import Annotated

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel, Field, SecretStr

from pastelka_orders.access.errors import SignInRequiredError, UserNotAllowedError
from pastelka_orders.access.passwords import MAX_LENGTH
from pastelka_orders.access.principal import Principal, PrincipalKind, Role
from pastelka_orders.access.settings import AuthMode
from pastelka_orders.api.authorization import (
    ANONYMOUS,
    SESSION_COOKIE,
    AuthorizedRoute,
    client_info_of,
    principal_of,
)
from pastelka_orders.api.deps import Deps, Services
from pastelka_orders.api.problems import declared
from pastelka_orders.repository import known_devices

DEVICE_COOKIE = "pastelka_device"
_DEVICE_PATH = "/api/v1/session"
_CACHE_CONTROL = "max-age=5, stale-while-revalidate=5, stale-if-error=300"

router = APIRouter(prefix="/session", tags=["session"], route_class=AuthorizedRoute, dependencies=[ANONYMOUS])


class CallerResponse(BaseModel):
    """A user or client that may use the API."""

    name: str
    kind: PrincipalKind = Field(description="How the caller is authenticated")
    role: Role = Field(description="A viewer may read, an operator may also change")


class SessionResponse(BaseModel):
    """The caller, and the authentication mode."""

    mode: AuthMode = Field(description="`open`: every local request has the role operator")
    caller: CallerResponse | None = Field(description="Null: the request is not authenticated")


class SignInRequest(BaseModel):
    """Name and password of a user."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=MAX_LENGTH)]


@router.get("", responses=declared(503))
async def get_session(request: Request, response: Response, services: Deps) -> SessionResponse:
    """The caller; extends the session, and renews the hub's cookie."""
    caller = await _caller_or_none(request)
    cookie = request.cookies.get(SESSION_COOKIE)
    if caller is not None and caller.kind == "user" and cookie is not None:
        await services.access.sign_in.extend(cookie)
    return _answer(request, services, response, caller)


@router.post("", responses=declared(401, 409, 422, 429, 503))
async def sign_in(
    request: Request, response: Response, services: Deps, wanted: SignInRequest
) -> SessionResponse:
    """Sign in with name and password; the session is a cookie that scripts cannot read."""
    started = await services.access.sign_in.sign_in(
        wanted.name,
        wanted.password.get_secret_value(),
        address=client_info_of(request).client,
        before=request.cookies.get(SESSION_COOKIE),
        device=request.cookies.get(DEVICE_COOKIE),
    )
    secure = client_info_of(request).secure
    response.set_cookie(
        SESSION_COOKIE,
        started.secret,
        max_age=int(services.access.sign_in.life.maximum.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    # It outlives the session: it limits this browser's next attempts.
    response.set_cookie(
        DEVICE_COOKIE,
        started.device,
        max_age=int(known_devices.LIFETIME.total_seconds()),
        path=_DEVICE_PATH,
        secure=secure,
        httponly=True,
        samesite="strict",
    )
    return _answer(request, services, response, started.principal)


@router.delete("", status_code=status.HTTP_204_NO_CONTENT, responses=declared(503))
async def sign_out(request: Request, services: Deps) -> Response:
    """End the session and delete its cookies; idempotent."""
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie is not None:
        await services.access.sign_in.sign_out(cookie)
    response = Response(status_code=status.HTTP_204_NO_CONTENT)
    secure = client_info_of(request).secure
    response.delete_cookie(SESSION_COOKIE, path="/", secure=secure, httponly=True, samesite="lax")
    services.subscriptions.clear(response, secure=secure)
    return response


@router.get("/check", status_code=status.HTTP_204_NO_CONTENT, include_in_schema=False)
async def check_session(request: Request) -> Response:
    """Check authentication for the gateway's ``auth_request``: 204, or 401.

    The gateway caches the response as ``Cache-Control`` says: a page shows many files at once.
    """
    if await _caller_or_none(request) is None:
        raise SignInRequiredError
    return Response(status_code=status.HTTP_204_NO_CONTENT, headers={"Cache-Control": _CACHE_CONTROL})


async def _caller_or_none(request: Request) -> Principal | None:
    try:
        return await principal_of(request)
    except (SignInRequiredError, UserNotAllowedError):
        return None


def _answer(
    request: Request, services: Services, response: Response, caller: Principal | None
) -> SessionResponse:
    secure = client_info_of(request).secure
    if caller is not None:
        services.subscriptions.allow(response, secure=secure)
    elif SESSION_COOKIE in request.cookies:
        # When a session has ended, so has its subscription to the hub.
        services.subscriptions.clear(response, secure=secure)
    response.headers["Cache-Control"] = "no-store"
    shown = None if caller is None else CallerResponse(name=caller.name, kind=caller.kind, role=caller.role)
    return SessionResponse(mode=services.settings.auth_mode, caller=shown)
