"""Permissions: declared by each route, checked before the request's body is read.

A permission is one of a route's ``dependencies``; a route without one is an error at startup.
"""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import structlog
from fastapi import Depends, FastAPI, Request, Response
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from pastelka_orders.access.client_info import ClientInfo
from pastelka_orders.access.errors import (
    CrossSiteRequestError,
    LocalOnlyError,
    OperatorRequiredError,
    ScopeMissingError,
    SignInRequiredError,
)
from pastelka_orders.access.origin import SAFE_METHODS
from pastelka_orders.access.principal import Principal
from pastelka_orders.actors import acting_as
from pastelka_orders.api.deps import Services
from pastelka_orders.api.problems import Responses, declared

SESSION_COOKIE = "pastelka_session"

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Permission:
    """Who may use a route.

    ``viewer`` and ``operator``: principals with at least that role. ``anonymous``: no principal is needed,
    but cross-site requests and, with ``AUTH_MODE=open``, remote ones are rejected. ``signed``: the handler
    verifies the request's signature. ``operations``: for probes; not exposed by the gateway.
    """

    name: Literal["viewer", "operator", "anonymous", "signed", "operations"]

    @property
    def needs_principal(self) -> bool:
        """Whether the route requires an authenticated principal."""
        return self.name in {"viewer", "operator"}

    @property
    def is_guarded(self) -> bool:
        """Whether the request's origin is checked."""
        return self.needs_principal or self.name == "anonymous"

    async def __call__(self) -> None:
        """Do nothing: ``AuthorizedRoute`` has checked it before the body was read."""


VIEWER = Depends(Permission("viewer"))
OPERATOR = Depends(Permission("operator"))
ANONYMOUS = Depends(Permission("anonymous"))
SIGNED = Depends(Permission("signed"))
OPERATIONS = Depends(Permission("operations"))


class PermissionMissingError(Exception):
    """A route declares no permission."""


class AuthorizedRoute(APIRoute):
    """A route that enforces its permission and describes it in the OpenAPI document."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        dependencies: Sequence[Dependency] | None = None,
        responses: Responses | None = None,
        openapi_extra: dict[str, Any] | None = None,
        **others: Any,
    ) -> None:
        permission = _permission_of(dependencies or ())
        if permission is None:
            raise PermissionMissingError(
                f"{path} has no permission: add VIEWER, OPERATOR or another to its dependencies"
            )
        self.permission = permission
        super().__init__(
            path,
            endpoint,
            dependencies=dependencies,
            responses={**_refusals(permission), **(responses or {})},
            openapi_extra={**_security(permission), **(openapi_extra or {})},
            **others,
        )

    def get_route_handler(self) -> Handler:
        """The route's handler behind the permission check."""
        handle, name = super().get_route_handler(), self.name

        async def guarded(request: Request) -> Response:
            principal = await authorize(request, self.permission)
            if principal is None or request.method in SAFE_METHODS:
                return await handle(request)
            with (
                structlog.contextvars.bound_contextvars(actor=principal.name, actor_kind=principal.kind),
                acting_as(principal.kind, principal.name),
            ):
                response = await handle(request)
                log.info("request audited", action=name, **_result(response), **request.path_params)
                return response

        return guarded


def _result(response: Response) -> dict[str, Any]:
    made = response.headers.get("location")
    return {"status": response.status_code, **({"made": made} if made else {})}


async def authorize(request: Request, permission: Permission) -> Principal | None:
    """Authorize a request; returns its principal if one is needed, or raises why it is refused.

    Stores ``client_info`` and ``principal`` in ``request.state``.
    """
    if not permission.is_guarded:
        return None
    services: Services = request.app.state.services
    client_info = client_info_of(request)
    if services.settings.auth_mode == "open" and (what := client_info.remote_reason):
        raise LocalOnlyError(what)
    principal = await principal_of(request) if permission.needs_principal else None
    if permission.needs_principal and principal is None:
        raise SignInRequiredError
    _check_origin(request, services, client_info, principal)
    if principal is not None and permission.name == "operator" and not principal.may_change:
        raise (ScopeMissingError if principal.kind == "token" else OperatorRequiredError)(principal.name)
    return principal


def _check_origin(
    request: Request, services: Services, client_info: ClientInfo, principal: Principal | None
) -> None:
    # A page cannot make a browser send a token, so a request with one is not CSRF.
    if request.method in SAFE_METHODS or (principal is not None and principal.kind == "token"):
        return
    cross_site_origin = services.access.origins.cross_site_origin(request.headers, client_info)
    if cross_site_origin is not None:
        raise CrossSiteRequestError(cross_site_origin or "no origin")


def client_info_of(request: Request) -> ClientInfo:
    """``ClientInfo`` of a request, parsed once."""
    found: ClientInfo | None = getattr(request.state, "client_info", None)
    if found is None:
        services: Services = request.app.state.services
        peer = request.client.host if request.client else None
        found = services.access.proxy_headers.read(peer, request.url.scheme, request.headers)
        request.state.client_info = found
    return found


async def principal_of(request: Request) -> Principal | None:
    """Principal of a request. Raises what ``Authenticator.authenticate`` does."""
    if not hasattr(request.state, "principal"):
        services: Services = request.app.state.services
        cookie = request.cookies.get(SESSION_COOKIE)
        request.state.principal = await services.access.authenticator.authenticate(
            request.headers, cookie, client_info_of(request)
        )
    found: Principal | None = request.state.principal
    return found


async def _current_principal(request: Request) -> Principal:
    found = await principal_of(request)
    if found is None:
        raise SignInRequiredError
    return found


CurrentPrincipal = Annotated[Principal, Depends(_current_principal)]
"""The principal, as a route's parameter."""


def permissions(app: FastAPI) -> Iterator[tuple[str, str, Permission]]:
    """Method, path and permission of every route. Raises ``PermissionMissingError``."""
    for context in iter_route_contexts(app.routes):
        permission = getattr(context.original_route, "permission", None)
        methods = sorted(context.methods or ())
        if not isinstance(permission, Permission) or not methods:
            raise PermissionMissingError(f"{_path(context)} declares no permission or no HTTP method")
        for method in methods:
            yield method, _path(context), permission


def check_permissions(app: FastAPI) -> None:
    """Raise ``PermissionMissingError`` if a route has no permission or lets viewers make changes."""
    for method, path, permission in permissions(app):
        if permission.name == "viewer" and method not in SAFE_METHODS:
            raise PermissionMissingError(f"{method} {path} lets viewers change something")


def describe_schemes(app: FastAPI) -> None:
    """Add the security schemes to the OpenAPI document."""
    original = app.openapi

    def described() -> dict[str, Any]:
        document = original()
        document.setdefault("components", {})["securitySchemes"] = _SCHEMES
        return document

    app.openapi = described  # type: ignore[method-assign]


_SCHEMES = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "Set by `POST /api/v1/session`, if AUTH_MODE is `password`",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token (`pst_...`); scope `read` for GET, `write` for everything",
    },
}


def _security(permission: Permission) -> dict[str, Any]:
    return {"security": [{name: []} for name in _SCHEMES]} if permission.needs_principal else {}


def _refusals(permission: Permission) -> Responses:
    if permission.needs_principal:
        return declared(401, 403)
    return declared(403) if permission.is_guarded else {}


def _permission_of(dependencies: Sequence[Dependency]) -> Permission | None:
    found = [one.dependency for one in dependencies if isinstance(one.dependency, Permission)]
    return found[-1] if found else None


def _path(context: RouteContext) -> str:
    return str(context.path or getattr(context.original_route, "path", "?"))
