"""Request smuggling: a body that one side parses as a request, replayed against nginx and the API.

The first request makes nginx ask the API whether the caller may read a file. If nginx announced a body to the
API that it never sends, the API would take the next request on that connection for it. The second request is
that one; the end of its body is an unfinished request of its own: the operator's next request completes it
and adds the operator's credentials.
"""

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from pathlib import Path
from typing import get_args

import pytest

from pastelka_common.servers import BucketServer
from pastelka_orders.access.settings import AuthMode
from tests.gateway.system import GatewaySystem, gateway_system
from tests.gateway.wire import request, send

ATTEMPTS = 50
VARIANT_ATTEMPTS = int(os.environ.get("SMUGGLING_ATTEMPTS", "10"))
"""Attempts for each other form of the first request."""
MODES = get_args(AuthMode)
SWALLOWED = 1500
"""Announced body length: the head of the second request and part of its padding."""
PHOTO = b"\xff\xd8a photo"

_numbers = count(1)
FirstStep = Callable[[GatewaySystem, Mapping[str, str], str, bytes], Awaitable[object]]
"""Makes the pieces of an attack from the attacker's headers, a file's path, and the second request."""


def _file_request(caller: Mapping[str, str], path: str, headers: Mapping[str, str], **others: str) -> bytes:
    # A unique URL: nginx caches the API's answer by URL, so each attempt reaches the API.
    number = next(_numbers)
    own = {"X-Forwarded-For": f"127.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}
    return request("GET", path, {**caller, **own, **headers}, **others)


async def _content_length(system: GatewaySystem, caller: Mapping[str, str], path: str, then: bytes) -> None:
    headers = {"Content-Length": str(SWALLOWED), "Connection": "close"}
    await send(system.nginx.port, _file_request(caller, path, headers), b"x" * SWALLOWED)
    await send(system.nginx.port, then)


async def _chunked(system: GatewaySystem, caller: Mapping[str, str], path: str, then: bytes) -> None:
    headers = {"Transfer-Encoding": "chunked", "Connection": "close"}
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (SWALLOWED, b"x" * SWALLOWED)
    await send(system.nginx.port, _file_request(caller, path, headers), chunks)
    await send(system.nginx.port, then)


async def _both(system: GatewaySystem, caller: Mapping[str, str], path: str, then: bytes) -> None:
    headers = {
        "Content-Length": str(SWALLOWED),
        "Transfer-Encoding": "chunked",
        "Connection": "close",
    }
    await send(system.nginx.port, _file_request(caller, path, headers), b"0\r\n\r\n" + b"x" * SWALLOWED)
    await send(system.nginx.port, then)


async def _expect(system: GatewaySystem, caller: Mapping[str, str], path: str, then: bytes) -> None:
    headers = {"Content-Length": str(SWALLOWED), "Expect": "100-continue", "Connection": "close"}
    await send(system.nginx.port, _file_request(caller, path, headers), b"x" * SWALLOWED)
    await send(system.nginx.port, then)


async def _http_1_0(system: GatewaySystem, caller: Mapping[str, str], path: str, then: bytes) -> None:
    first = _file_request(caller, path, {"Content-Length": str(SWALLOWED)}, version="1.0")
    await send(system.nginx.port, first, b"x" * SWALLOWED)
    await send(system.nginx.port, then)


async def _pipelined(system: GatewaySystem, caller: Mapping[str, str], path: str, then: bytes) -> None:
    first = _file_request(caller, path, {"Content-Length": str(SWALLOWED)})
    await send(system.nginx.port, first + b"x" * SWALLOWED + then)


async def _oversized(system: GatewaySystem, caller: Mapping[str, str], path: str, then: bytes) -> None:
    for length in (10**6, 10**15):
        headers = {"Content-Length": str(length), "Connection": "close"}
        await send(system.nginx.port, _file_request(caller, path, headers), finish=True, until=b"\r\n\r\n")
    await send(system.nginx.port, then)


async def _wrong_length(system: GatewaySystem, caller: Mapping[str, str], path: str, then: bytes) -> None:
    headers = {"Content-Length": str(SWALLOWED), "Connection": "close"}
    await send(system.nginx.port, _file_request(caller, path, headers), b"x" * 10, finish=True, until=PHOTO)
    await send(system.nginx.port, then)


VARIANTS: dict[str, FirstStep] = {
    "Content-Length": _content_length,
    "Transfer-Encoding": _chunked,
    "both": _both,
    "Expect": _expect,
    "HTTP/1.0": _http_1_0,
    "pipelined": _pipelined,
    "oversized": _oversized,
    "lying": _wrong_length,
}


def _second_request(caller: Mapping[str, str], number: str) -> bytes:
    """A POST that needs no permission; its body continues, behind padding, as two requests."""
    answered = request("GET", "/healthz", {})
    smuggled = f"DELETE /api/v1/orders/{number} HTTP/1.1\r\nHost: localhost\r\nX-Rest: ".encode()
    # Servers skip empty lines before a request line (RFC 9112, 2.2).
    body = b"\r\n" * 1000 + answered + smuggled
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
    return request("POST", "/api/v1/session", {**caller, **headers}, body=body)


async def _victim_is_served(system: GatewaySystem, number: str, path: str) -> bool:
    """Whether the operator's next requests get their own responses, and the order still exists."""
    asked = [request("GET", one, system.operator) for one in ("/api/v1/orders", path)]
    last = request("GET", f"/api/v1/orders/{number}", {**system.operator, "Connection": "close"})
    answer = await send(system.nginx.port, *asked, last)
    return answer.statuses == [200, 200, 200] and b'"items"' in answer.raw and PHOTO in answer.raw


async def _withstands(system: GatewaySystem, attack: FirstStep, number: str, path: str) -> bool:
    try:
        await attack(system, system.viewer, path, _second_request(system.viewer, number))
        return await _victim_is_served(system, number, path)
    except TimeoutError:  # one side waits for bytes that never arrive
        return False


async def _count_successes(system: GatewaySystem, name: str, attempts: int) -> int:
    """Number of attempts that changed what the operator sees."""
    number, successes = await system.create_order(), 0
    for _ in range(attempts):
        path = f"{name.replace('/', '-')}/image_{next(_numbers)}.jpg"
        await system.store(path, PHOTO)
        url = f"/static/images/{path}"
        if not await _withstands(system, VARIANTS[name], number, url):
            successes += 1
            number = await system.create_order()
    return successes


async def _expect_no_success(
    mode: AuthMode, database_url: str, folder: Path, bucket: BucketServer | None = None
) -> None:
    async with gateway_system(folder, database_url, mode=mode, bucket=bucket) as system:
        found = {
            name: await _count_successes(system, name, ATTEMPTS if not number else VARIANT_ATTEMPTS)
            for number, name in enumerate(VARIANTS)
        }
    assert found == dict.fromkeys(VARIANTS, 0), json.dumps(found)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", MODES)
async def test_no_request_is_smuggled_with_a_folder(
    mode: AuthMode, database_url: str, tmp_path: Path
) -> None:
    await _expect_no_success(mode, database_url, tmp_path)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", MODES)
async def test_no_request_is_smuggled_with_a_bucket(
    mode: AuthMode, database_url: str, tmp_path: Path, bucket_server: BucketServer
) -> None:
    await _expect_no_success(mode, database_url, tmp_path, bucket_server)
