"""One run from the first order to the last check."""

import asyncio
import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import nats.errors

from tests.faults import broker, checks, final_state, payments, people, plan
from tests.faults.actions import StopTimeoutError, inject
from tests.faults.browser import Browser
from tests.faults.client import Client
from tests.faults.final_state import FinalState
from tests.faults.journal import Journal
from tests.faults.plan import Fault, Shape
from tests.faults.result import Result, fault_results
from tests.faults.system import NotReadyError, System, SystemOptions, running

_POLL_SECONDS = 0.5
_CONVERGE_SECONDS = 20.0
_BROKEN = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, nats.errors.Error)
Say = Callable[[str], None]


async def run(folder: Path, seed: int, shape: Shape, *, cluster: bool, say: Say) -> Result:
    """Start the system, inject the faults of ``seed``, wait until all is quiet, and check."""
    load, begun = os.getloadavg()[0], time.time()
    setup = SystemOptions(shape.images, cluster=cluster, pooled=seed % 2 == 0)
    async with running(folder, setup) as system, session() as http:
        system.copy_age = shape.copy_age
        say(f"seed {seed}: up after {time.time() - begun:.0f} s")
        client = Client(http, system.gateway)
        async with Browser(Client(http, system.gateway), system.stack.hub.subscriber_key) as browser:
            lost = await _run_load_and_faults(system, client, browser, seed, shape, say)
            quiet = await until_quiet(system, shape.deadline)
            say(f"seed {seed}: {'quiet' if quiet else 'NOT QUIET'} after {_since(system.journal):.0f} s")
            afterwards = time.time()
            if quiet:
                quiet = await _retry_errors(system, client, shape)
            result = Result(seed, shape.images, shape.orders, cluster, _since(system.journal), load, quiet)
            await _judge(result, system, client, browser, afterwards)
            result.violations[:0] = lost
            return result


def session() -> aiohttp.ClientSession:
    """Use a new connection per request: a browser repeats a request on a connection that was just closed."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True, limit=0))


async def _run_load_and_faults(
    system: System, client: Client, browser: Browser, seed: int, shape: Shape, say: Say
) -> list[str]:
    """Run orders, clicks and faults until the last fault is reverted; returns errors of injecting them."""
    system.journal.began = time.time()
    clicker = people.Clicker(browser, client, system.journal, shape, seed)
    helpers = [asyncio.create_task(work) for work in (clicker.run(), broker.keep_copies(system))]
    try:
        orders = asyncio.create_task(people.create_orders(client, shape, seed))
        locks: dict[str, asyncio.Lock] = {}
        faults = [asyncio.create_task(_at(system, fault, locks, say)) for fault in plan.draw(seed, shape)]
        outcomes = await asyncio.gather(*faults, return_exceptions=True)
        await orders
    finally:
        for helper in helpers:
            helper.cancel()
        await asyncio.wait(helpers)
    for helper in helpers:
        if not helper.cancelled() and (error := helper.exception()):
            raise error
    return _troubles(outcomes)


def _troubles(outcomes: list[Any]) -> list[str]:
    troubles = []
    for outcome in outcomes:
        if isinstance(outcome, NotReadyError | StopTimeoutError):
            troubles.append(str(outcome))
        elif isinstance(outcome, BaseException):
            raise outcome
    return troubles


async def _at(system: System, fault: Fault, locks: dict[str, asyncio.Lock], say: Say) -> None:
    await asyncio.sleep(max(0.0, system.journal.began + fault.at - time.time()))
    say(f"{_since(system.journal):6.1f}  {fault.name} for {fault.seconds:g} s")
    await inject(system, fault, locks)


async def until_quiet(system: System, seconds: float) -> bool:
    """Wait until every version has ended and no message is left."""
    deadline = time.time() + seconds
    while time.time() < deadline:
        with suppress(*_BROKEN):
            if await _is_quiet(system):
                return True
        await asyncio.sleep(_POLL_SECONDS)
    return False


async def _is_quiet(system: System) -> bool:
    now = await final_state.take(system.stack)
    is_idle = not now.unfinished and now.outbox == 0 and now.claims == 0
    return is_idle and not await final_state.jobs_left(system.stack)


async def _retry_errors(system: System, client: Client, shape: Shape) -> bool:
    """A retry is a new run: without faults every one of them must succeed."""
    failed = [
        (v["kind"], v["id"])
        for v in (await final_state.take(system.stack)).versions
        if v["status"] == "error"
    ]
    await people.retry_errors(client, system.journal, failed)
    return await until_quiet(system, shape.deadline)


async def _judge(result: Result, system: System, client: Client, browser: Browser, afterwards: float) -> None:
    truth = await final_state.take(system.stack)
    found = final_state.files(system.stack.storage)
    result.versions = dict(Counter(f"{v['kind']} {v['status']}" for v in truth.versions))
    result.violations += checks.every_version_ended(truth)
    result.violations += checks.every_retry_succeeded(truth) if result.quiet else []
    result.violations += checks.every_version_has_its_number(truth)
    result.violations += checks.every_file_is_whole(truth, system.stack.storage, found)
    result.violations += checks.no_work_is_left(truth, await final_state.jobs_left(system.stack))
    result.violations += checks.dead_letters_are_errors(truth, await final_state.dead_letters(system.stack))
    result.violations += await browser_shows_final_state(browser, client)
    for one in (client, browser.client):
        result.violations += checks.responses_were_allowed(one, system.journal)
    _judge_payments(result, system, truth)
    _describe(result, system, truth, client, browser, afterwards)


def _judge_payments(result: Result, system: System, truth: FinalState) -> None:
    root, journal = system.stack.storage, system.journal
    submits = system.runpod.submits()
    colorings = payments.colorings(truth, submits, root, journal)
    pages = {
        v["path"]: hashlib.sha256((root / v["path"]).read_bytes()).hexdigest()
        for v in truth.colorings
        if v["path"] and (root / v["path"]).exists()
    }
    svgs = payments.svgs(truth, system.vectorizer.charges, pages, journal)
    result.submits, result.charges = len(submits), len(system.vectorizer.charges)
    result.violations += [*colorings.wrong, *svgs.wrong]
    result.paid_twice = [*colorings.twice, *svgs.twice]


def _describe(
    result: Result, system: System, truth: FinalState, client: Client, browser: Browser, afterwards: float
) -> None:
    journal = system.journal
    result.requests = client.count + browser.client.count
    result.updates, result.line_opened = browser.updates, browser.opened
    result.clicks = journal.clicks
    result.exits = [
        f"{name} after {at - journal.began:.1f} s, status {code}" for at, name, code in journal.exits
    ]
    result.faults = fault_results(journal, truth)
    backs = [done.ended for done in journal.done if done.ended is not None]
    ends = [c["at"] for c in truth.changes if c["status"] in {"completed", "error"} and c["at"] < afterwards]
    result.recovered = max(0.0, max(ends) - max(backs)) if backs and ends else None


async def browser_shows_final_state(browser: Browser, client: Client) -> list[str]:
    """The browser gets some time to receive the last change."""
    deadline = time.time() + _CONVERGE_SECONDS
    while True:
        wrong = checks.the_browser_shows_it(browser, await _orders(client))
        if not wrong or time.time() > deadline:
            return wrong
        await asyncio.sleep(_POLL_SECONDS)


async def _orders(client: Client) -> dict[str, Any]:
    listed = await client.get("/orders?limit=200")
    numbers = [item["order_number"] for item in listed.body["items"]]
    answers = await asyncio.gather(*(client.get(f"/orders/{number}") for number in numbers))
    return {answer.body["order_number"]: answer.body for answer in answers}


def _since(journal: Journal) -> float:
    return time.time() - journal.began
