"""What the OpenAPI document says beyond what the routes say themselves."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from pastelka_orders.api.problems import declared
from pastelka_orders.schemas import Problem
from pastelka_orders.shopify.payloads import OrderPayload

_FORM = "multipart/form-data"
_SCHEMAS: dict[str, type[BaseModel]] = {"Problem": Problem, "ShopifyOrder": OrderPayload}
"""No route has them as its own; they are referred to by name."""


def describe(app: FastAPI) -> None:
    """Complete the document of ``app``."""
    original = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(original())
        return original()

    app.openapi = described  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name, model in _SCHEMAS.items():
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= {**schema.pop("$defs", {}), name: schema}
    for operations in document["paths"].values():
        for method, operation in operations.items():
            _add_bounds(method, operation, schemas)


def _add_bounds(method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """What ``bounds`` may answer before any route is asked; a form has no other fields."""
    statuses = [413, 422] if method != "post" else [413, 415, 422]
    form = operation.get("requestBody", {}).get("content", {}).get(_FORM)
    if form is not None:
        statuses.append(400)
        schemas[form["schema"]["$ref"].rpartition("/")[2]]["additionalProperties"] = False
    for status, entry in declared(*statuses).items():
        operation["responses"].setdefault(str(status), entry)
