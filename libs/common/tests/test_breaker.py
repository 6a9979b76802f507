"""When the breaker opens, what it lets through, and the state that it reports."""

import pytest

from pastelka_common.breaker import STATE, Breaker
from pastelka_common.errors import PostponedError, TransientError


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("runpod", failure_threshold=3, reset_timeout=10, max_reset_timeout=40, clock=clock)


def fault(retry_after: float | None = None) -> TransientError:
    return TransientError("provider_unavailable", "RunPod is out of order.", retry_after=retry_after)


def fail(breaker: Breaker, times: int = 3) -> None:
    for _ in range(times):
        breaker.record_failure(fault())


def gauge() -> float:
    """The metric."""
    return next(s.value for s in STATE.collect()[0].samples if s.labels == {"provider": "runpod"})


def test_the_breaker_opens_after_consecutive_failures_only(breaker: Breaker):
    fail(breaker, 2)
    breaker.record_success()
    fail(breaker, 2)
    assert breaker.state == "closed"
    breaker.check()
    assert gauge() == 0
    fail(breaker, 1)
    assert breaker.state == "open"
    assert gauge() == 2
    with pytest.raises(PostponedError, match="out of order") as put_off:
        breaker.check()
    assert put_off.value.code == "provider_paused"
    assert 10 < put_off.value.seconds <= 13.1


def test_an_open_breaker_offers_no_slot_and_a_half_open_one_a_single_slot(breaker: Breaker, clock: Clock):
    assert breaker.available_slots(7, 0) == 7
    fail(breaker)
    assert breaker.available_slots(7, 0) == 0
    assert breaker.seconds_until_probe() == 10
    clock.now += 10
    assert (breaker.state, gauge()) == ("half_open", 1)
    assert breaker.seconds_until_probe() is None
    assert (breaker.available_slots(7, 0), breaker.available_slots(7, 1)) == (1, 0)
    assert breaker.allow_request() is True
    assert breaker.available_slots(7, 0) == 0
    with pytest.raises(PostponedError):
        breaker.allow_request()


def test_a_successful_probe_closes_the_breaker(breaker: Breaker, clock: Clock):
    told: list[str] = []
    breaker.add_listener(lambda: told.append(breaker.state))
    fail(breaker)
    clock.now += 10
    breaker.allow_request()
    breaker.record_success()
    assert told == ["open", "closed"]
    assert breaker.available_slots(7, 0) == 7
    assert breaker.allow_request() is False
    fail(breaker, 2)
    assert breaker.state == "closed"


def test_every_failed_probe_doubles_the_pause_up_to_the_maximum(breaker: Breaker, clock: Clock):
    fail(breaker)
    for pause in (20, 40, 40):
        clock.now += breaker.seconds_until_probe() or 0
        assert breaker.allow_request()
        breaker.record_failure(fault())
        assert breaker.seconds_until_probe() == pause


def test_a_probe_without_a_result_allows_another(breaker: Breaker, clock: Clock):
    fail(breaker)
    clock.now += 10
    breaker.record_no_result(probe=breaker.allow_request())
    assert breaker.state == "half_open"
    assert breaker.allow_request()
    breaker.record_no_result(probe=False)
    with pytest.raises(PostponedError):
        breaker.check()


def test_retry_after_extends_the_pause(breaker: Breaker):
    fail(breaker, 2)
    breaker.record_failure(fault(retry_after=25))
    assert breaker.seconds_until_probe() == 25


def test_the_reported_health_of_each_state(breaker: Breaker):
    assert breaker.health().model_dump(exclude={"since"}) == {
        "state": "closed",
        "reason": None,
        "next_probe_at": None,
    }
    fail(breaker)
    health = breaker.health()
    assert (health.state, health.reason) == ("open", "RunPod is out of order.")
    assert health.next_probe_at is not None
    assert 9 < (health.next_probe_at - health.since).total_seconds() < 11
