"""What is written down: who asked for what, and never a secret."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

CREDENTIALS = {"name": "Jana", "password": "a long enough password"}


@pytest.fixture
def log() -> Iterator[list[Any]]:
    """Every line with what goes along with it, as a process writes it."""
    capture, before = LogCapture(), structlog.get_config()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, capture], cache_logger_on_first_use=False
    )
    yield capture.entries
    structlog.configure(**before)


def of(log: list[Any], event: str) -> list[dict[str, Any]]:
    return [line for line in log if line["event"] == event]


async def test_every_change_is_logged_with_its_actor(locked_api: Any, people: Any, log: list[Any]) -> None:
    mine = await people.signed_in("operator", "Jana")
    token = await people.token("write", "nightly")
    http = locked_api.http
    await http.get("/orders", headers=mine)
    files = [("photos", ("a.jpg", PHOTO, "image/jpeg"))]
    made = await http.post("/orders", files=files, headers=mine)
    assert made.status_code == 201
    await http.post("/orders/M1000/generate-coloring", headers=token)
    await http.post("/coloring-versions/1/cancel", headers=mine)
    await http.delete("/orders/M1000", headers=mine)
    await http.delete("/orders/M1000", headers=mine)  # not there: nothing was done
    jana, nightly = {"actor": "Jana", "actor_kind": "user"}, {"actor": "nightly", "actor_kind": "token"}
    assert [
        {k: v for k, v in line.items() if k not in {"event", "log_level"}}
        for line in of(log, "request audited")
    ] == [
        {"action": "create_order", "status": 201, "made": "/api/v1/orders/M1000", **jana},
        {"action": "generate_order_coloring", "status": 202, "order_number": "M1000", **nightly},
        {"action": "cancel_coloring", "status": 200, "version_id": "1", **jana},
        {"action": "delete_order", "status": 204, "order_number": "M1000", **jana},
    ]
    # An event outside of a request has no actor.
    structlog.get_logger().info("later")
    assert "actor" not in of(log, "later")[0]


async def test_no_log_line_contains_a_secret(locked_api: Any, people: Any, log: list[Any]) -> None:
    await people.user("Jana", "operator")
    token = await people.token("write")
    http = locked_api.http
    answer = await http.post("/session", json=CREDENTIALS)
    cookie = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
    await http.post("/session", json={"name": "Jana", "password": "a wrong password"})
    await http.post("/session", json={"name": "my secret in the wrong field", "password": "x"})
    invalid = await http.post("/session", json={"name": ["x"], "password": "p" * 1001})
    await http.post("/orders/M1/generate-coloring", headers=token)
    await http.delete("/session", headers={"Cookie": f"pastelka_session={cookie}"})
    text = json.dumps(log, default=str)
    assert [line["user"] for line in of(log, "sign-in refused")] == ["Jana", None]
    assert len(of(log, "signed in")) == len(of(log, "signed out")) == 1
    secrets = [cookie, token["Authorization"], CREDENTIALS["password"], "a wrong password", "wrong field"]
    for secret in secrets:
        assert len(secret) > 10
        assert secret not in text
    assert invalid.status_code == 422
    assert "ppp" not in invalid.text
    assert cookie not in answer.text


def _photo() -> bytes:
    from io import BytesIO  # noqa: PLC0415

    from PIL import Image  # noqa: PLC0415

    buffer = BytesIO()
    Image.new("RGB", (120, 90), (40, 90, 120)).save(buffer, "JPEG")
    return buffer.getvalue()


PHOTO = _photo()
