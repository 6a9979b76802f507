"""``erase customer``: what it says, asks and does. (As a process: ``test_failures.py``.)"""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from pastelka_orders.commands import parser, perform
from services.orders.tests.command_line import Command, Result

THREE_DAYS = timedelta(days=3)


@pytest.fixture
def erase(
    house: Any,
    broker: Any,
    orders_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """``await erase("--email", ..., typed="yes")``."""
    monkeypatch.setenv("NATS_URL", broker.url)
    monkeypatch.setenv("DATABASE_URL", orders_url)
    monkeypatch.setenv("STORAGE_PATH", str(house.storage.root))

    async def run(*arguments: str, typed: str = "") -> Result:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        capsys.readouterr()
        with capture_logs():  # which a process writes to standard error
            try:
                code = await perform(parser().parse_args(["erase", "customer", *arguments]))
            except SystemExit as ended:  # by the parser
                code = int(ended.code or 0)
        return Result(code, *capsys.readouterr())

    return run


async def two_orders(house: Any) -> None:
    await house.order(age=THREE_DAYS)
    await house.order(number="4712", shopify_id=99, email=house.email.upper(), age=THREE_DAYS)
    await house.order(number="4713", shopify_id=199, email="someone.else@example.com", age=THREE_DAYS)


async def test_the_command_lists_the_orders_and_asks_for_confirmation(house: Any, erase: Command) -> None:
    await two_orders(house)
    refused = await erase("--email", house.email.lower(), typed="no\n")
    assert refused.code == 1
    assert "nothing was erased" in refused.err
    assert refused.out.splitlines()[:3] == [
        "order 4711: 1 photo, 2 pages, 7 files, 3.0 kB",
        "order 4712: 1 photo, 2 pages, 7 files, 3.0 kB",
        "2 orders in all: 2 photos, 4 pages, 14 files, 6.1 kB",
    ]
    assert await house.numbers() == ["4711", "4712", "4713"]
    agreed = await erase("--email", house.email.lower(), typed="yes\n")
    assert agreed.code == 0, agreed.err
    assert await house.numbers() == ["4713"]
    lines = agreed.out.splitlines()[-2:]
    assert [line.split(" erased ")[0].rpartition("order ")[2] for line in lines] == ["4711", "4712"]
    assert all("(customer by command (" in line and "7 files, 3.0 kB" in line for line in lines)
    await house.sql.execute("DELETE FROM orders")
    assert await house.traces() == []


async def test_a_dry_run_changes_nothing(house: Any, erase: Command) -> None:
    await two_orders(house)
    files = house.api.files()
    told = await erase("--email", house.email, "--dry-run", "--json")
    assert told.code == 0, told.err
    document = json.loads(told.out)
    assert (document["dry_run"], document["records"]) == (True, [])
    assert document["orders"] == [
        {"order_number": number, "photos": 1, "pages": 2, "files": 7, "bytes": 3032}
        for number in ("4711", "4712")
    ]
    assert house.api.files() == files
    assert await house.sql.fetchval("SELECT count(*) FROM erasures") == 0


async def test_erasing_one_order_twice_succeeds(house: Any, erase: Command) -> None:
    await two_orders(house)
    done = await erase("--order", "4712", "--yes", "--json")
    assert done.code == 0, done.err
    [record] = json.loads(done.out)["records"]
    assert (record["order_number"], record["files"], record["reason"]) == ("4712", 7, "customer")
    assert await house.numbers() == ["4711", "4713"]
    again = await erase("--order", "4712", "--yes")
    assert again.code == 0
    assert again.out.startswith("order 4712 erased ")
    assert house.email.lower() not in (done.out + again.out + done.err + again.err).lower()


async def test_unknown_customers_orders_and_wrong_arguments_are_reported(house: Any, erase: Command) -> None:
    none = await erase("--email", "unknown@example.com", "--yes")
    assert (none.code, none.out) == (0, "nothing to erase\n")
    missing = await erase("--order", "9999", "--yes")
    assert missing.code == 1
    assert "No order '9999'" in missing.err
    for arguments in ((), ("--email", "x"), ("--email", house.email, "--order", "1")):
        assert (await erase(*arguments)).code == 2
    assert (await erase("--email", house.email, "--json")).code == 1
    silent = await erase("--email", house.email)
    assert (silent.code, silent.out) == (0, "nothing to erase\n")
