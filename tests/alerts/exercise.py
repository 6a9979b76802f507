"""Causes every alert in turn and checks that it fires, has a summary, and resolves after the remedy."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pastelka_common.testing.fake_runpod import FakeRunpod, FakeRunpodSettings
from pastelka_common.testing.fake_vectorizer import FakeVectorizer
from pastelka_common.testing.waiting import until
from tests.alerts.conditions import CONDITIONS, DISK_MEGABYTES, Condition, all_done
from tests.alerts.prometheus import Prometheus, running_prometheus
from tests.alerts.quicker import quicker_rules
from tests.faults import disk
from tests.system import System, running_system

_RULES = Path(__file__).parents[2] / "deploy" / "observability" / "alerts.yaml"
_FIRES_SECONDS = 240
_ENDS_SECONDS = 300
_QUIET_SECONDS = 30
_ENV = {
    "BREAKER_RESET_TIMEOUT": "2",
    "BREAKER_MAX_RESET_TIMEOUT": "4",
    "RECONCILE_INTERVAL": "1",
    "RECONCILE_GRACE": "2",
}

Say = Callable[[str], None]


@dataclass(frozen=True)
class AlertRun:
    """One alert: seconds until it fired, its summary, and seconds from the remedy until it resolved."""

    alert: str
    what: str
    remedy: str
    fired: float
    summary: str
    ended: float


class AlertError(AssertionError):
    """An alert did not fire, did not resolve, or fired without a fault."""


async def exercise(folder: Path, *, has_disk: bool, say: Say) -> list[AlertRun]:
    """Cause all conditions. Raises :class:`AlertError`."""
    if has_disk:
        disk.mount(folder / "stack" / "storage" / "images", megabytes=DISK_MEGABYTES)
    runpod = FakeRunpod(FakeRunpodSettings(queue_seconds=0.2, run_seconds=0.2))
    async with running_system(folder / "stack", runpod, FakeVectorizer(duration=0.1), env=_ENV) as system:
        services = system.stack.services
        targets = {name: service.url.removeprefix("http://") for name, service in services.items()}
        rules = quicker_rules(_RULES)
        async with running_prometheus(folder / "prometheus", rules, targets) as prometheus:
            await _require_no_alert_during_work(system, prometheus, len(targets))
            found: list[AlertRun] = []
            for condition in CONDITIONS:
                if condition.needs_disk and not has_disk:
                    say(f"{condition.what}: skipped, mounts are not permitted here")
                    continue
                found += await _exercise_condition(system, prometheus, condition, say)
            await _wait_until_no_alert_fires(prometheus)
            return found


async def _require_no_alert_during_work(system: System, prometheus: Prometheus, targets: int) -> None:
    """Check that nothing fires during normal work, for longer than any alert's ``for`` duration."""
    await until(lambda: _are_up(prometheus, targets), 60)
    ends = time.monotonic() + _QUIET_SECONDS
    seed = 1
    while time.monotonic() < ends:
        await system.order(1, process="svg", first_seed=seed)
        await all_done(system)
        seed += 1
        firing = await prometheus.firing()
        if firing:
            raise AlertError(f"alerts fire without a fault: {firing}")
    broken = await prometheus.broken_rules()
    if broken:
        raise AlertError(f"rules that cannot be evaluated: {broken}")


async def _exercise_condition(
    system: System, prometheus: Prometheus, condition: Condition, say: Say
) -> list[AlertRun]:
    say(f"{condition.what} ...")
    fired: dict[str, tuple[float, str]] = {}
    begun = time.monotonic()

    async def all_fired() -> bool:
        for alert, summary in (await prometheus.firing()).items():
            if alert in condition.alerts:
                fired.setdefault(alert, (time.monotonic() - begun, summary))
        return len(fired) == len(condition.alerts)

    async with condition.cause(system):
        try:
            await until(all_fired, _FIRES_SECONDS)
        except AssertionError:
            missing = set(condition.alerts) - set(fired)
            raise AlertError(f"{condition.what}: these alerts do not fire: {missing}") from None
    repaired = time.monotonic()
    ended = {alert: await _ended(prometheus, alert, repaired) for alert in condition.alerts}
    await all_done(system)
    return [
        AlertRun(alert, condition.what, condition.remedy, *fired[alert], ended[alert])
        for alert in condition.alerts
    ]


async def _wait_until_no_alert_fires(prometheus: Prometheus) -> None:
    """Check that no other alert fires after the remedy."""
    try:
        await until(lambda: _is_quiet(prometheus), _ENDS_SECONDS)
    except AssertionError:
        raise AlertError(f"alerts still fire after the remedy: {sorted(await prometheus.firing())}") from None


async def _is_quiet(prometheus: Prometheus) -> bool:
    return not await prometheus.firing()


async def _ended(prometheus: Prometheus, alert: str, since: float) -> float:
    async def is_quiet() -> bool:
        return alert not in await prometheus.firing()

    try:
        await until(is_quiet, _ENDS_SECONDS)
    except AssertionError:
        raise AlertError(f"{alert} still fires after the remedy") from None
    return time.monotonic() - since


async def _are_up(prometheus: Prometheus, targets: int) -> bool:
    return await prometheus.targets_up() == targets
