"""What is no fault of the request is answered 503, and everything unexpected 500: as problem documents."""

import errno
import os

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError

from pastelka_orders.api import problems
from pastelka_orders.database_errors import CommitUnconfirmedError, DatabaseUnavailableError


class ComplaintError(Exception):
    """What a driver raises, with PostgreSQL's code."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("the database system is starting up")
        self.sqlstate = sqlstate


def complaint(sqlstate: str) -> DBAPIError:
    return DBAPIError("SELECT 1", {}, ComplaintError(sqlstate))


def refusal(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (complaint("57P03"), 503, "database_unavailable"),
        (complaint("53300"), 503, "database_unavailable"),
        (complaint("25006"), 503, "database_unavailable"),
        (complaint("55P03"), 503, "database_unavailable"),
        (complaint("0A000"), 503, "database_unavailable"),
        (DatabaseUnavailableError("no answer in time"), 503, "database_unavailable"),
        (CommitUnconfirmedError("no answer in time"), 503, "change_unconfirmed"),
        (complaint("23505"), 500, "internal_error"),
        (complaint("42601"), 500, "internal_error"),
        (refusal(errno.ENOSPC), 503, "storage_full"),
        (refusal(errno.EACCES), 500, "internal_error"),
        (ConnectionRefusedError("no listener"), 503, "database_unavailable"),
    ],
)
async def test_transient_errors_are_503_and_others_500(error: Exception, status: int, code: str) -> None:
    app = FastAPI()
    problems.install(app)

    @app.get("/")
    async def fail() -> None:
        raise error

    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        response = await http.get("/")
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert response.json()["status"] == status
    if "database" in code:
        assert response.headers["Retry-After"]
