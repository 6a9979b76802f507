"""Every route and every kind of caller: who gets in, and how the others are told.

The routes are the application's own, so a new one is asked for by every kind of caller here; one
that does not say who may use it fails every test of this file.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from fastapi import APIRouter, FastAPI
from starlette.responses import PlainTextResponse

from pastelka_common.servers import NatsServer
from pastelka_orders.api.app import create_app
from pastelka_orders.api.authorization import (
    VIEWER,
    AuthorizedRoute,
    PermissionMissingError,
    check_permissions,
    permissions,
)
from pastelka_orders.settings import OrdersSettings

Send = dict[str, str]
Outcome = str
"""``in``, or the code of the refusal."""

IN = "in"
CODES = {
    "sign_in_required": 401,
    "operator_required": 403,
    "scope_missing": 403,
    "not_admitted": 403,
    "wrong_origin": 403,
    "local_only": 403,
}
WITHOUT_CALLER = {
    ("GET", "/healthz"): "operations",
    ("GET", "/readyz"): "operations",
    ("GET", "/metrics"): "operations",
    ("POST", "/api/v1/webhooks/shopify"): "signed",
    ("GET", "/api/v1/session"): "anonymous",
    ("POST", "/api/v1/session"): "anonymous",
    ("DELETE", "/api/v1/session"): "anonymous",
    ("GET", "/api/v1/session/check"): "anonymous",
}
CHECK = "/api/v1/session/check"
ELSEWHERE = "https://evil.example"


@dataclass(frozen=True)
class Kind:
    """A kind of caller: what they send, from where, and what becomes of it by the rule."""

    send: Callable[[Any, Any], Awaitable[Send]]
    """Given ``people`` and a connection to the database, the headers of each request."""
    viewer: Outcome = IN
    operator: Outcome = IN
    anonymous: Outcome = IN
    """Of a change, such as signing in."""
    asked: Outcome = IN
    """Of a look at something that needs no caller."""
    mode: str = "password"
    peer: str = "127.0.0.1"
    settings: dict[str, str] = field(default_factory=dict)

    def of(self, method: str, path: str, rule: str) -> Outcome:
        """What is to become of a request."""
        if rule in {"signed", "operations"}:
            return IN
        if path == CHECK and self.asked == IN:
            return "sign_in_required" if self.viewer != IN else IN
        if rule == "anonymous":
            return self.asked if method == "GET" else self.anonymous
        return self.viewer if rule == "viewer" else self.operator


def headers(**sent: str) -> Callable[[Any, Any], Awaitable[Send]]:
    async def send(_people: Any, _sql: Any) -> Send:
        return {name.replace("_", "-"): value for name, value in sent.items()}

    return send


def session(role: str, after: str = "", **more: str) -> Callable[[Any, Any], Awaitable[Send]]:
    """A user is signed in; then the database executes ``after``."""

    async def send(people: Any, sql: asyncpg.Connection) -> Send:
        found = await people.signed_in(role)
        await sql.execute(after or "SELECT 1")
        return {**found, **{name.replace("_", "-"): value for name, value in more.items()}}

    return send


def token(scope: str, after: str = "", **more: str) -> Callable[[Any, Any], Awaitable[Send]]:
    async def send(people: Any, sql: asyncpg.Connection) -> Send:
        found = await people.token(scope)
        await sql.execute(after or "SELECT 1")
        return {**found, **{name.replace("_", "-"): value for name, value in more.items()}}

    return send


def out(code: str = "sign_in_required") -> dict[str, Outcome]:
    return {"viewer": code, "operator": code}


PROXY: dict[str, Any] = {
    "mode": "proxy",
    "settings": {
        "auth_trusted_proxies": "10.1.0.0/16",
        "auth_proxy_operators": "jana@example.com, @studio",
        "auth_proxy_viewers": "petr@example.com",
    },
}
LOCKED_OUT: dict[str, Any] = {**out("local_only"), "anonymous": "local_only", "asked": "local_only"}
FOREIGN: dict[str, Any] = {"operator": "wrong_origin", "anonymous": "wrong_origin"}
USER = "X-Auth-Request-User"

KINDS: dict[str, Kind] = {
    "no credentials": Kind(headers(), **out()),
    "a viewer": Kind(session("viewer"), operator="operator_required"),
    "an operator": Kind(session("operator")),
    "an operator on our page": Kind(
        session("operator", Origin="http://localhost", Sec_Fetch_Site="same-origin")
    ),
    "a token to read": Kind(token("read"), operator="scope_missing"),
    "a token to write": Kind(token("write")),
    # Sign-in ignores a token that the request carries.
    "a token on a page": Kind(token("write", Origin=ELSEWHERE), anonymous="wrong_origin"),
    "an expired token": Kind(token("write", "UPDATE api_tokens SET expires_at = now()"), **out()),
    "a revoked token": Kind(token("write", "UPDATE api_tokens SET revoked_at = now()"), **out()),
    "an unknown token": Kind(headers(Authorization=f"Bearer pst_{'A' * 43}"), **out()),
    "a token of another system": Kind(headers(Authorization="Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"), **out()),
    "an expired session": Kind(session("operator", "UPDATE sessions SET expires_at = now()"), **out()),
    "a removed user": Kind(session("operator", "DELETE FROM users"), **out()),
    "a disabled user": Kind(session("operator", "UPDATE users SET disabled_at = now()"), **out()),
    "who was made a viewer": Kind(
        session("operator", "UPDATE users SET role = 'viewer'"), operator="operator_required"
    ),
    "a bad token beside a session": Kind(session("operator", Authorization="Bearer pst_no"), **out()),
    "a page of another site": Kind(session("operator", Origin=ELSEWHERE), **FOREIGN),
    "a page of our other port": Kind(session("operator", Origin="http://localhost:8081"), **FOREIGN),
    "a page without an origin": Kind(session("operator", Origin="null"), **FOREIGN),
    "a page with an empty origin": Kind(session("operator", Origin=""), **FOREIGN),
    "a page that is only fetched from": Kind(session("operator", Sec_Fetch_Site="cross-site"), **FOREIGN),
    "a proxy's header without a proxy": Kind(headers(**{USER: "jana@example.com"}), **out()),
    "who calls the API past the proxy": Kind(
        headers(**{USER: "jana@example.com"}), peer="203.0.113.9", **PROXY, **out()
    ),
    "who calls the gateway past the proxy": Kind(
        headers(**{USER: "jana@example.com"}, X_Forwarded_For="10.1.2.3, 203.0.113.9"), **PROXY, **out()
    ),
    "a proxy that names an operator": Kind(headers(**{USER: "jana@example.com"}), peer="10.1.2.3", **PROXY),
    "a proxy before the gateway": Kind(
        headers(**{USER: "jana@example.com"}, X_Forwarded_For="203.0.113.9, 10.1.2.3"), **PROXY
    ),
    "a proxy that names a group": Kind(
        headers(**{USER: "eva"}, X_Auth_Request_Groups="all,studio"), peer="10.1.2.3", **PROXY
    ),
    "a proxy that names a viewer": Kind(
        headers(**{USER: "petr@example.com"}), peer="10.1.2.3", operator="operator_required", **PROXY
    ),
    "a proxy that names a stranger": Kind(
        headers(**{USER: "eva"}), peer="10.1.2.3", **PROXY, **out("not_admitted")
    ),
    "a proxy that names no user": Kind(headers(), peer="10.1.2.3", **PROXY, **out()),
    "a proxy's user on a page of another site": Kind(
        headers(**{USER: "jana@example.com"}, Origin=ELSEWHERE), peer="10.1.2.3", **PROXY, **FOREIGN
    ),
    "a token to write past the proxy": Kind(token("write"), peer="203.0.113.9", **PROXY),
    "an open house, from this machine": Kind(headers(), mode="open"),
    "an open house, by the gateway": Kind(headers(X_Forwarded_For="127.0.0.1"), mode="open"),
    "an open house, from elsewhere": Kind(headers(), mode="open", peer="192.0.2.7", **LOCKED_OUT),
    "an open house, by the gateway from elsewhere": Kind(
        headers(X_Forwarded_For="192.0.2.7"), mode="open", **LOCKED_OUT
    ),
    "an open house, by a tunnel": Kind(
        headers(X_Forwarded_For="192.0.2.7, 127.0.0.1"), mode="open", **LOCKED_OUT
    ),
    "an open house, under a name that leads here": Kind(
        headers(Host="evil.example", Origin="http://evil.example"), mode="open", **LOCKED_OUT
    ),
    "an open house, from a page of another site": Kind(headers(Origin=ELSEWHERE), mode="open", **FOREIGN),
}


@pytest_asyncio.fixture(loop_scope="session")
async def reachable(settings: OrdersSettings, nats_server: NatsServer) -> OrdersSettings:
    """Settings with everything there, so that what gets in gets an answer."""
    return settings.model_copy(update={"nats_url": nats_server.url})


@asynccontextmanager
async def called(serving: Any, settings: OrdersSettings, kind: Kind) -> AsyncIterator[Any]:
    """The application as this kind of caller finds it."""
    changed = settings.model_copy(update={"auth_mode": kind.mode, **kind.settings})
    async with serving(changed, peer=kind.peer) as api:
        yield api


@pytest.mark.parametrize("name", KINDS)
async def test_every_route(
    name: str, reachable: OrdersSettings, serving: Any, people: Any, sql: asyncpg.Connection
) -> None:
    kind, wrong, asked = KINDS[name], [], 0
    async with called(serving, reachable, kind) as api:
        send = await kind.send(people, sql)
        for method, path, rule in in_order(api.app):
            response = await api.http.request(method, f"http://localhost{filled(path)}", headers=send)
            expected, found = kind.of(method, path, rule.name), outcome(response)
            asked += 1
            if found != expected:
                wrong.append(f"{method} {path} ({rule.name}): {found}, and not {expected}")
            elif expected in CODES and response.status_code != CODES[expected]:
                wrong.append(f"{method} {path}: {response.status_code} with {found}")
    assert wrong == []
    assert asked > 30


def in_order(app: FastAPI) -> list[Any]:
    """Every route; who signs out does so last."""
    return sorted(permissions(app), key=lambda found: found[:2] == ("DELETE", "/api/v1/session"))


def filled(path: str) -> str:
    """A path with something in each place."""
    return re.sub(r"\{(\w+)(:path)?\}", lambda part: "M1" if part[1] == "order_number" else "1", path)


def outcome(response: Any) -> Outcome:
    """``in`` unless it was refused by who asks; what is no answer at all is its status."""
    if response.status_code >= 500:
        return str(response.status_code)
    problem = response.headers.get("content-type") == "application/problem+json"
    code = response.json()["code"] if problem else ""
    if response.status_code in {401, 403} and code != "webhook_not_verified":
        return str(code)
    return IN


async def test_the_routes_without_authentication_are_exactly_the_listed_ones(api: Any) -> None:
    found = {
        (method, path): rule.name for method, path, rule in permissions(api.app) if not rule.needs_principal
    }
    assert found == WITHOUT_CALLER


async def test_routes_that_change_data_require_an_operator(api: Any) -> None:
    for method, path, rule in permissions(api.app):
        if (method, path) not in WITHOUT_CALLER:
            assert rule.name == ("viewer" if method == "GET" else "operator"), (method, path)


async def test_the_documented_responses_match_the_permission(api: Any) -> None:
    document = api.app.openapi()
    assert set(document["components"]["securitySchemes"]) == {"session", "token"}
    for method, path, rule in permissions(api.app):
        operation = document["paths"].get(path, {}).get(method.lower())
        if operation is None:
            continue
        assert ("security" in operation) is rule.needs_principal, (method, path)
        if rule.needs_principal:
            assert {"401", "403"} <= set(operation["responses"]), (method, path)


async def test_no_body_is_read_before_authorization(locked_api: Any, people: Any) -> None:
    """Else anybody could make the API take in as much as an upload may have."""
    viewer, operator = await people.signed_in("viewer"), await people.signed_in("operator")
    read: list[int] = []

    async def photos() -> AsyncIterator[bytes]:
        for number in range(3):
            read.append(number)
            yield b"x" * 1000

    form = {"Content-Type": "multipart/form-data; boundary=x"}
    for send, expected in (
        ({}, "sign_in_required"),
        (viewer, "operator_required"),
        ({**operator, "Origin": ELSEWHERE}, "wrong_origin"),
    ):
        response = await locked_api.http.post("/orders", content=photos(), headers={**form, **send})
        assert outcome(response) == expected
        assert read == []
    # An operator's is read, if only until it makes no sense.
    response = await locked_api.http.post("/orders", content=photos(), headers={**form, **operator})
    assert outcome(response) == IN
    assert read


async def bare(_request: Any) -> PlainTextResponse:
    return PlainTextResponse("open to all")


def add_to_starlette(app: FastAPI) -> None:
    app.add_route("/api/v1/bare", bare)


def add_to_the_application(app: FastAPI) -> None:
    app.get("/api/v1/bare")(bare)


def add_by_a_plain_router(app: FastAPI) -> None:
    router = APIRouter()
    router.get("/bare")(bare)
    app.include_router(router, prefix="/api/v1")


def add_by_a_guarded_router(_app: FastAPI) -> None:
    APIRouter(route_class=AuthorizedRoute).get("/bare")(bare)


def add_a_mount(app: FastAPI) -> None:
    app.mount("/api/v1/bare", FastAPI())


def let_viewers_change(app: FastAPI) -> None:
    app.post("/api/v1/bare", dependencies=[VIEWER])(bare)


@pytest.mark.parametrize(
    "add",
    [
        add_to_starlette,
        add_to_the_application,
        add_by_a_plain_router,
        add_by_a_guarded_router,
        add_a_mount,
        let_viewers_change,
    ],
)
def test_a_route_without_a_permission_is_detected(
    settings: OrdersSettings, add: Callable[[FastAPI], None]
) -> None:
    app = create_app(settings)
    before = len(list(permissions(app)))
    with pytest.raises(PermissionMissingError, match="bare"):
        add_and_check(app, add)
    assert before > 30


def add_and_check(app: FastAPI, add: Callable[[FastAPI], None]) -> None:
    """What a programmer does, and what the tests above and ``create_app`` do then."""
    add(app)
    check_permissions(app)


async def test_a_new_route_with_a_permission_is_protected(serving: Any, settings: OrdersSettings) -> None:
    """A new route with a rule is behind it from the start."""
    async with serving(settings.model_copy(update={"auth_mode": "password"})) as api:
        api.app.get("/api/v1/new", dependencies=[VIEWER])(bare)
        assert outcome(await api.http.get("/new")) == "sign_in_required"
