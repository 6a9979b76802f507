"""The status machine with plain values: which facts apply, and what they change."""

from datetime import UTC, datetime
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pastelka_common.contracts.messages import ColoringFact, Failure, Retry
from pastelka_common.contracts.statuses import ColoringProcessingStatus as Status
from pastelka_orders.domain.versions import Applied, Ignored, VersionProgress, apply_fact

AT = datetime(2026, 1, 16, 14, 30, tzinfo=UTC)
WORKER_STATUSES = [status for status in Status if not status.is_startable]


def progress(
    status: Status = Status.QUEUED, run: int = 1, attempt: int = 0, step: int = 0
) -> VersionProgress:
    return VersionProgress("coloring", run, attempt, step, status)


def fact(status: Status, run: int = 1, attempt: int = 1, step: int = 1) -> ColoringFact:
    failure = Failure(code="x", message="X.") if status is Status.ERROR else None
    return ColoringFact(
        version_id=7, run=run, attempt=attempt, step=step, at=AT, status=status, failure=failure
    )


def apply(before: VersionProgress, one: ColoringFact) -> Applied | Ignored:
    return apply_fact(before, one, one.status)


def test_a_fact_moves_the_version_and_its_position() -> None:
    result = apply(progress(), fact(Status.PROCESSING, step=3))
    assert isinstance(result, Applied)
    assert result.progress == progress(Status.PROCESSING, attempt=1, step=3)
    (change,) = result.transitions
    assert (change.previous, change.status, change.attempt, change.at) == ("queued", "processing", 1, AT)


def test_the_announcement_of_a_retry_moves_the_position_and_not_the_status() -> None:
    retry = Retry(attempt=1, of=12, next_at=AT, code="busy", message="Busy.")
    told = fact(Status.PROCESSING, step=999_999).model_copy(update={"retry": retry})
    result = apply(progress(Status.RUNPOD_QUEUED, attempt=1, step=4), told)
    assert isinstance(result, Applied)
    assert result.progress == progress(Status.RUNPOD_QUEUED, attempt=1, step=999_999)
    assert result.transitions == ()


def test_a_worker_fact_on_a_pending_version_implies_queued() -> None:
    result = apply(progress(Status.PENDING), fact(Status.PROCESSING))
    assert isinstance(result, Applied)
    assert [change.status for change in result.transitions] == ["queued", "processing"]


@pytest.mark.parametrize(
    ("before", "one", "reason"),
    [
        (progress(run=2), fact(Status.PROCESSING, run=1), "another_run"),
        (progress(run=1), fact(Status.PROCESSING, run=2), "another_run"),
        (progress(Status.COMPLETED, attempt=1, step=1), fact(Status.ERROR, attempt=2), "ended"),
        (progress(Status.ERROR, attempt=1, step=1), fact(Status.COMPLETED, attempt=2), "ended"),
        (progress(Status.PROCESSING, attempt=1, step=2), fact(Status.RUNPOD_QUEUED, step=2), "late"),
        (progress(Status.PROCESSING, attempt=2, step=1), fact(Status.COMPLETED, attempt=1, step=9), "late"),
        (progress(), fact(Status.PENDING), "not_a_workers_status"),
        (progress(), fact(Status.QUEUED), "not_a_workers_status"),
    ],
)
def test_an_inapplicable_fact_is_ignored(before: VersionProgress, one: ColoringFact, reason: str) -> None:
    assert apply(before, one) == Ignored(reason)  # type: ignore[arg-type]


def test_a_repeated_status_moves_the_position_without_a_transition() -> None:
    result = apply(progress(Status.PROCESSING, attempt=1, step=4), fact(Status.PROCESSING, attempt=2))
    assert isinstance(result, Applied)
    assert result.transitions == ()
    assert result.progress.position == (1, 2, 1)


FACTS = st.builds(
    fact,
    st.sampled_from(WORKER_STATUSES),
    run=st.integers(1, 2),
    attempt=st.integers(1, 3),
    step=st.integers(1, 4),
)


@given(st.lists(FACTS, max_size=12))
def test_the_position_only_grows_and_a_final_status_is_final(facts: list[ColoringFact]) -> None:
    current = progress()
    for one in facts:
        result = apply(current, one)
        if isinstance(result, Applied):
            assert result.progress.position > current.position
            assert not current.status.is_final
            current = result.progress


@given(st.lists(FACTS, max_size=8))
def test_a_repeated_fact_is_ignored(facts: list[ColoringFact]) -> None:
    current = progress()
    for one in facts:
        result = apply(current, one)
        if isinstance(result, Applied):
            current = result.progress
        assert isinstance(apply(current, one), Ignored)


def test_the_last_fact_wins_in_any_order() -> None:
    steps = [fact(status, step=n) for n, status in enumerate(WORKER_STATUSES[:4], start=1)]
    for order in permutations(steps):
        current = progress()
        for one in order:
            result = apply(current, one)
            current = result.progress if isinstance(result, Applied) else current
        assert current.status is WORKER_STATUSES[3]
