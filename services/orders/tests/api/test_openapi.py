"""The checked-in OpenAPI document is the application's."""

import json
from pathlib import Path

from pastelka_orders.api.openapi import document

CHECKED_IN = Path(__file__).parents[2] / "openapi.json"


def test_the_openapi_document_is_current() -> None:
    assert CHECKED_IN.read_text(encoding="utf-8") == document(), "run `make openapi`"


def test_every_error_response_is_declared_as_a_problem_document() -> None:
    paths = json.loads(CHECKED_IN.read_text(encoding="utf-8"))["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"], (path, method, status)


def test_no_endpoint_serves_files() -> None:
    paths = json.loads(CHECKED_IN.read_text(encoding="utf-8"))["paths"]
    assert "/api/v1/images/{image_id}" not in paths
    assert not [path for path in paths if path.endswith("/file")]
