"""Injects and reverts each kind of fault. Every action returns a remark for the report."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable

from pastelka_local.testing import Service
from tests.faults import broker, broker_access, cluster, disk
from tests.faults.journal import InjectedFault
from tests.faults.plan import SERVICES, Fault
from tests.faults.system import System, exit_status


class StopTimeoutError(Exception):
    """A service did not exit in time after SIGTERM."""


Action = Callable[[System, Fault], Awaitable[str]]


async def inject(system: System, fault: Fault, locks: dict[str, asyncio.Lock]) -> InjectedFault:
    """Inject and revert one fault; two faults of one component wait for each other."""
    part = fault.target if fault.kind in {"kill", "term", "zombie"} else fault.kind
    same = {"broker": "nats", "database": "postgres", "pooler": "postgres"}
    async with locks.setdefault(same.get(part, part), asyncio.Lock()):
        done = InjectedFault(fault, time.time())
        system.journal.done.append(done)
        done.note = await _ACTIONS[fault.kind](system, fault)
        done.ended = time.time()
        return done


async def _kill(system: System, fault: Fault) -> str:
    if fault.target in SERVICES:
        return await _end_service(system, fault, lambda service: service.kill())
    name = await cluster.leader_of(system.stack, "JOBS") if fault.target == "nats" else fault.target
    with system.outage(name), system.outage(fault.target):
        await system.server(name).kill()
        await asyncio.sleep(fault.seconds)
        await system.server(name).start()
    return f"leader {name}" if name != fault.target else ""


async def _term(system: System, fault: Fault) -> str:
    return await _end_service(system, fault, lambda service: service.stop())


async def _end_service(system: System, fault: Fault, end: Callable[[Service], Awaitable[object]]) -> str:
    """Stop the first process of a kind and start it again."""
    service = system.stack.services[fault.target]
    with system.outage(fault.target, fault.kind):
        late = await _end(service, end)
        await asyncio.sleep(fault.seconds)
        await system.restart_until_ready(service)
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


async def _zombie(system: System, fault: Fault) -> str:
    """Stop the process in the middle of its work for longer than its deadlines, then continue it."""
    service = system.stack.services[fault.target]
    if exit_status(service) is not None:
        return "was not running"
    with system.outage(fault.target):
        service.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            service.send(signal.SIGCONT)
    return ""


async def _disk(system: System, fault: Fault) -> str:
    if not disk.can_mount():
        return "skipped: mounts are not permitted here"
    with system.outage("disk"):
        taken = await asyncio.to_thread(system.filler.fill)
        await asyncio.sleep(fault.seconds)
        system.filler.empty()
    return f"ENOSPC after {taken} MiB"


async def _runpod(system: System, fault: Fault) -> str:
    before = system.runpod.faults.given
    with system.outage("runpod"):
        system.runpod.switch(fault.target)
        await asyncio.sleep(fault.seconds)
        system.runpod.switch_off()
    return f"{system.runpod.faults.given - before} calls failed"


async def _vectorizer(system: System, fault: Fault) -> str:
    before = system.vectorizer.stats()["requests"] - len(system.vectorizer.charges)
    with system.outage("vectorizer"):
        system.vectorizer.switch(fault.target)
        await asyncio.sleep(fault.seconds)
        system.vectorizer.switch_off()
    failed = system.vectorizer.stats()["requests"] - len(system.vectorizer.charges) - before
    return f"{failed} calls failed"


async def _broker(system: System, fault: Fault) -> str:
    if fault.target in _ACCESS:
        with system.outage("nats"):
            return await _ACCESS[fault.target](system, fault.seconds)
    name = await cluster.leader_of(system.stack, "JOBS")
    with system.outage(name), system.outage("nats"), system.outage("store"):
        process = system.server(name)
        await process.kill()
        note = await asyncio.to_thread(broker.LIES[fault.target], process.server.folder, system.copy_age)
        await asyncio.sleep(fault.seconds)
        await process.start()
    return note


_ACCESS: dict[str, Callable[[System, float], Awaitable[str]]] = {
    "-ERR": broker_access.refuse_connections,
    "foreign stream": broker_access.replace_stream,
}


async def _database(system: System, fault: Fault) -> str:
    route = system.route
    if fault.target == "orphan":  # sessions that wait for its locks get them in time
        return await route.orphan(fault.seconds)
    with system.outage("postgres"):
        return await (route.silent if fault.target == "silent" else route.readonly)(fault.seconds)


async def _pooler(system: System, fault: Fault) -> str:
    pooler = system.route.pooler
    if pooler is None:
        return "skipped: this run has no pooler"
    with system.outage("postgres"):
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
