"""The rule of each route: who may use it. Declared where the route is, and kept before anything is read.

A rule is one of a route's ``dependencies``; a route without one is an error at the start.
"""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import structlog
from fastapi import Depends, FastAPI, Request, Response
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from pastelka_orders.access.caller import Caller
from pastelka_orders.access.errors import (
    LocalOnlyError,
    OperatorRequiredError,
    ScopeMissingError,
    SignInRequiredError,
    WrongOriginError,
)
from pastelka_orders.access.origin import SAFE_METHODS
from pastelka_orders.access.way import Way
from pastelka_orders.api.deps import Services
from pastelka_orders.api.problems import Responses, declared

SESSION_COOKIE = "pastelka_session"

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Rule:
    """Who may use a route.

    ``viewer`` and ``operator``: callers of at least that role. ``anybody``: no caller is needed, but
    pages of other sites and, without a lock, other machines are kept out. ``signed``: the request
    proves by itself where it comes from. ``operations``: for probes; never behind the gateway.
    """

    name: Literal["viewer", "operator", "anybody", "signed", "operations"]

    @property
    def needs_caller(self) -> bool:
        """Whether somebody has to be known."""
        return self.name in {"viewer", "operator"}

    @property
    def is_guarded(self) -> bool:
        """Whether it matters where the request comes from."""
        return self.needs_caller or self.name == "anybody"

    async def __call__(self) -> None:
        """Nothing: ``Guarded`` has kept it before the request's body was read."""


VIEWER = Depends(Rule("viewer"))
OPERATOR = Depends(Rule("operator"))
ANYBODY = Depends(Rule("anybody"))
SIGNED = Depends(Rule("signed"))
OPERATIONS = Depends(Rule("operations"))


class RuleMissingError(Exception):
    """A route says not who may use it."""


class Guarded(APIRoute):
    """A route that keeps its rule, and says so in the OpenAPI document."""

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
        rule = _rule_of(dependencies or ())
        if rule is None:
            raise RuleMissingError(f"{path} has no rule: add VIEWER, OPERATOR or another to its dependencies")
        self.rule = rule
        super().__init__(
            path,
            endpoint,
            dependencies=dependencies,
            responses={**_refusals(rule), **(responses or {})},
            openapi_extra={**_security(rule), **(openapi_extra or {})},
            **others,
        )

    def get_route_handler(self) -> Handler:
        """The route's handler behind its rule."""
        handle, name = super().get_route_handler(), self.name

        async def guarded(request: Request) -> Response:
            caller = await admit(request, self.rule)
            if caller is None or request.method in SAFE_METHODS:
                return await handle(request)
            with structlog.contextvars.bound_contextvars(actor=caller.name, actor_kind=caller.kind):
                response = await handle(request)
                log.info("asked", action=name, **_result(response), **request.path_params)
                return response

        return guarded


def _result(response: Response) -> dict[str, Any]:
    made = response.headers.get("location")
    return {"status": response.status_code, **({"made": made} if made else {})}


async def admit(request: Request, rule: Rule) -> Caller | None:
    """Let a request in, with who asks if that matters; raises the reason why not.

    What is found is kept in ``request.state``: ``way`` and ``caller``.
    """
    if not rule.is_guarded:
        return None
    services: Services = request.app.state.services
    way = way_of(request)
    if services.settings.auth_mode == "open" and (what := way.elsewhere):
        raise LocalOnlyError(what)
    caller = await caller_of(request) if rule.needs_caller else None
    if rule.needs_caller and caller is None:
        raise SignInRequiredError
    _check_origin(request, services, way, caller)
    if caller is not None and rule.name == "operator" and not caller.may_change:
        raise (ScopeMissingError if caller.kind == "token" else OperatorRequiredError)(caller.name)
    return caller


def _check_origin(request: Request, services: Services, way: Way, caller: Caller | None) -> None:
    # No page can make a browser send a token, so what comes with one is asked for on purpose.
    if request.method in SAFE_METHODS or (caller is not None and caller.kind == "token"):
        return
    stranger = services.access.origins.stranger(request.headers, way)
    if stranger is not None:
        raise WrongOriginError(stranger or "no origin")


def way_of(request: Request) -> Way:
    """By which way a request came: ``way_of(request).client`` is the address of who asks."""
    found: Way | None = getattr(request.state, "way", None)
    if found is None:
        services: Services = request.app.state.services
        peer = request.client.host if request.client else None
        found = services.access.ways.read(peer, request.url.scheme, request.headers)
        request.state.way = found
    return found


async def caller_of(request: Request) -> Caller | None:
    """Who asks. Raises what ``Callers.of`` does."""
    if not hasattr(request.state, "caller"):
        services: Services = request.app.state.services
        cookie = request.cookies.get(SESSION_COOKIE)
        request.state.caller = await services.access.callers.of(request.headers, cookie, way_of(request))
    found: Caller | None = request.state.caller
    return found


async def _asking(request: Request) -> Caller:
    found = await caller_of(request)
    if found is None:
        raise SignInRequiredError
    return found


Asking = Annotated[Caller, Depends(_asking)]
"""Who asks, for a route that wants to know."""


def rules(app: FastAPI) -> Iterator[tuple[str, str, Rule]]:
    """Method, path and rule of every route. Raises ``RuleMissingError`` for one that has none."""
    for context in iter_route_contexts(app.routes):
        rule = getattr(context.original_route, "rule", None)
        methods = sorted(context.methods or ())
        if not isinstance(rule, Rule) or not methods:
            raise RuleMissingError(f"{_path(context)} has no rule: nobody has said who may use it")
        for method in methods:
            yield method, _path(context), rule


def check_rules(app: FastAPI) -> None:
    """Raise ``RuleMissingError`` unless every route has a rule, and every change needs an operator."""
    for method, path, rule in rules(app):
        if rule.name == "viewer" and method not in SAFE_METHODS:
            raise RuleMissingError(f"{method} {path} lets viewers change something")


def describe_schemes(app: FastAPI) -> None:
    """Add to the OpenAPI document how a caller is known."""
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
        "description": "What `POST /api/v1/session` sets, while AUTH_MODE is `password`",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token (`pst_...`); scope `read` for GET, `write` for everything",
    },
}


def _security(rule: Rule) -> dict[str, Any]:
    return {"security": [{name: []} for name in _SCHEMES]} if rule.needs_caller else {}


def _refusals(rule: Rule) -> Responses:
    if rule.needs_caller:
        return declared(401, 403)
    return declared(403) if rule.is_guarded else {}


def _rule_of(dependencies: Sequence[Dependency]) -> Rule | None:
    found = [one.dependency for one in dependencies if isinstance(one.dependency, Rule)]
    return found[-1] if found else None


def _path(context: RouteContext) -> str:
    return str(context.path or getattr(context.original_route, "path", "?"))
