"""Injects and reverts each kind of fault. Every action returns a remark for the report."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable

from pastelka_local.testing import Service
from tests.faults import broker, broker_access, cluster, disk
from tests.faults.journal import InjectedFault
from tests.faults.line import Line, exit_status
from tests.faults.plan import SERVICES, Fault


class StopTimeoutError(Exception):
    """A service did not exit in time after SIGTERM."""


Action = Callable[[Line, Fault], Awaitable[str]]


async def inject(line: Line, fault: Fault, locks: dict[str, asyncio.Lock]) -> InjectedFault:
    """Inject and revert one fault; two faults of one component wait for each other."""
    part = fault.target if fault.kind in {"kill", "term", "zombie"} else fault.kind
    same = {"broker": "nats", "database": "postgres", "pooler": "postgres"}
    async with locks.setdefault(same.get(part, part), asyncio.Lock()):
        done = InjectedFault(fault, time.time())
        line.journal.done.append(done)
        done.note = await _ACTIONS[fault.kind](line, fault)
        done.ended = time.time()
        return done


async def _kill(line: Line, fault: Fault) -> str:
    if fault.target in SERVICES:
        return await _end_service(line, fault, lambda service: service.kill())
    name = await cluster.leader_of(line.stack, "JOBS") if fault.target == "nats" else fault.target
    with line.outage(name), line.outage(fault.target):
        await line.server(name).kill()
        await asyncio.sleep(fault.seconds)
        await line.server(name).start()
    return f"leader {name}" if name != fault.target else ""


async def _term(line: Line, fault: Fault) -> str:
    return await _end_service(line, fault, lambda service: service.stop())


async def _end_service(line: Line, fault: Fault, end: Callable[[Service], Awaitable[object]]) -> str:
    """Stop the first process of a kind and start it again."""
    service = line.stack.services[fault.target]
    with line.outage(fault.target, fault.kind):
        late = await _end(service, end)
        await asyncio.sleep(fault.seconds)
        await line.restart_until_ready(service)
    if late:
        raise StopTimeoutError(late)
    return ""


async def _end(service: Service, end: Callable[[Service], Awaitable[object]]) -> str:
    """Stop a process; returns a sentence if it did not exit in time and had to be killed."""
    try:
        await end(service)
    except RuntimeError as error:
        return str(error)
    return ""


async def _zombie(line: Line, fault: Fault) -> str:
    """Stop the process in the middle of its work for longer than its deadlines, then continue it."""
    service = line.stack.services[fault.target]
    if exit_status(service) is not None:
        return "was not running"
    with line.outage(fault.target):
        service.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            service.send(signal.SIGCONT)
    return ""


async def _disk(line: Line, fault: Fault) -> str:
    if not disk.can_mount():
        return "skipped: mounts are not permitted here"
    with line.outage("disk"):
        taken = await asyncio.to_thread(line.filler.fill)
        await asyncio.sleep(fault.seconds)
        line.filler.empty()
    return f"ENOSPC after {taken} MiB"


async def _runpod(line: Line, fault: Fault) -> str:
    before = line.runpod.faults.given
    with line.outage("runpod"):
        line.runpod.switch(fault.target)
        await asyncio.sleep(fault.seconds)
        line.runpod.switch_off()
    return f"{line.runpod.faults.given - before} calls failed"


async def _vectorizer(line: Line, fault: Fault) -> str:
    before = line.vectorizer.stats()["requests"] - len(line.vectorizer.charges)
    with line.outage("vectorizer"):
        line.vectorizer.switch(fault.target)
        await asyncio.sleep(fault.seconds)
        line.vectorizer.switch_off()
    failed = line.vectorizer.stats()["requests"] - len(line.vectorizer.charges) - before
    return f"{failed} calls failed"


async def _broker(line: Line, fault: Fault) -> str:
    if fault.target in _ACCESS:
        with line.outage("nats"):
            return await _ACCESS[fault.target](line, fault.seconds)
    name = await cluster.leader_of(line.stack, "JOBS")
    with line.outage(name), line.outage("nats"), line.outage("store"):
        process = line.server(name)
        await process.kill()
        note = await asyncio.to_thread(broker.LIES[fault.target], process.server.folder, line.copy_age)
        await asyncio.sleep(fault.seconds)
        await process.start()
    return note


_ACCESS: dict[str, Callable[[Line, float], Awaitable[str]]] = {
    "-ERR": broker_access.refuse_connections,
    "foreign stream": broker_access.replace_stream,
}


async def _database(line: Line, fault: Fault) -> str:
    route = line.route
    if fault.target == "orphan":  # sessions that wait for its locks get them in time
        return await route.orphan(fault.seconds)
    with line.outage("postgres"):
        return await (route.silent if fault.target == "silent" else route.readonly)(fault.seconds)


async def _pooler(line: Line, fault: Fault) -> str:
    pooler = line.route.pooler
    if pooler is None:
        return "skipped: this run has no pooler"
    with line.outage("postgres"):
        await pooler.kill()
        await asyncio.sleep(fault.seconds)
        await pooler.start()
    return ""


_ACTIONS: dict[str, Action] = {
    "kill": _kill,
    "term": _term,
    "zombie": _zombie,
    "disk": _disk,
    "runpod": _runpod,
    "vectorizer": _vectorizer,
    "broker": _broker,
    "database": _database,
    "pooler": _pooler,
}
