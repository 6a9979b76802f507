"""The suite can fail: each check finds its violation, and a seed always draws the same faults."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from tests.faults import checks, payments, plan, report
from tests.faults.client import Answer, Client
from tests.faults.final_state import FinalState
from tests.faults.journal import Journal
from tests.faults.known import KNOWN, KnownFault
from tests.faults.providers import Submit

PHOTO = "1/1/image_1.jpg"
PAGE = "1/1/coloring/v1/image_1.png"
REASON = {"status": "error", "error_code": "timeout", "error_message": "It took too long."}
LETTER = [("jobs.coloring.1", {"version_id": 1, "run": 1})]
PROBLEM = "application/problem+json"


def version(**own: Any) -> dict[str, Any]:
    completed = {"status": "completed", "path": PAGE, "error_code": None, "error_message": None}
    ids = {"kind": "coloring", "id": 1, "image_id": 1, "version": 1, "run": 1, "coloring_version_id": None}
    rest = {"possibly_paid_twice": False, "steps": 4, "photo": PHOTO, "order_number": "M1"}
    return {**completed, **ids, **rest, **own}


def state(*versions: dict[str, Any], changes: Any = (), outbox: int = 0) -> FinalState:
    return FinalState(list(versions), [], [PHOTO], list(changes), ["M1"], outbox)


def change(status: str, at: float, run: int = 1) -> dict[str, Any]:
    return {"kind": "coloring", "version_id": 1, "run": run, "status": status, "at": at}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A storage with one photo."""
    (tmp_path / PHOTO).parent.mkdir(parents=True)
    (tmp_path / PHOTO).write_bytes(b"photo")
    return tmp_path


def test_a_version_without_an_end_or_an_error_code_is_found() -> None:
    assert checks.every_version_ended(state(version(), version(**REASON))) == []
    assert checks.every_version_ended(state(version(status="queued")))
    assert checks.every_version_ended(state(version(status="error", error_code="timeout")))
    assert checks.every_version_ended(state(version(path=None)))
    assert checks.every_retry_succeeded(state(version(**REASON)))


def test_a_duplicate_number_and_leftover_messages_are_found() -> None:
    assert checks.every_version_has_its_number(state(version(), version(id=2)))
    assert checks.no_work_is_left(state(version()), []) == []
    assert len(checks.no_work_is_left(state(version(), outbox=1), ["jobs.coloring.1"])) == 2


def test_missing_broken_and_orphaned_files_are_found(root: Path) -> None:
    assert checks.every_file_is_whole(state(version()), root, {PHOTO})
    (root / PAGE).parent.mkdir(parents=True)
    (root / PAGE).write_bytes(b"half a page")
    assert checks.every_file_is_whole(state(version()), root, {PHOTO, PAGE})
    failed = state(version(**REASON, path=None))
    assert checks.every_file_is_whole(failed, root, {PHOTO, PAGE}) == []
    assert checks.every_file_is_whole(failed, root, {PHOTO, "9/9/image_1.jpg"})
    assert checks.every_file_is_whole(failed, root, {PHOTO, f"{PAGE}.ab.tmp"})
    reserved = replace(failed, uploads=frozenset({9}))
    assert checks.every_file_is_whole(reserved, root, {PHOTO, "9/9/image_1.jpg"}) == []
    assert checks.every_file_is_whole(reserved, root, {PHOTO, "8/9/image_1.jpg"})


def test_a_dead_letter_of_a_run_without_an_error_is_found() -> None:
    completed = state(version(), changes=[change("completed", 5.0)])
    failed = state(version(), changes=[change("error", 5.0)])
    assert checks.dead_letters_are_errors(completed, LETTER)
    assert checks.dead_letters_are_errors(failed, LETTER) == []


@pytest.mark.parametrize(
    ("status", "media_type", "down", "allowed"),
    [
        (503, PROBLEM, "api", True),
        (503, PROBLEM, "postgres", True),
        (503, PROBLEM, "nats", False),
        (503, "text/html", "api", False),
        (500, PROBLEM, "api", False),
        (None, "", "nginx", True),
        (None, "", "api", False),
    ],
)
def test_unexpected_responses_are_found(
    status: int | None, media_type: str, down: str, *, allowed: bool
) -> None:
    journal = Journal(began=0.0)
    outage = journal.down(down)
    outage.since, outage.until = 9.0, 11.0
    client = Client(cast(aiohttp.ClientSession, None), "")
    client.troubles = [Answer("GET", "/orders", 10.0, 10.1, status, media_type)]
    assert (checks.responses_were_allowed(client, journal) == []) is allowed
    client.troubles = [Answer("GET", "/orders", 20.0, 20.1, status, media_type)]
    assert checks.responses_were_allowed(client, journal)


def judged(
    root: Path, *changes: Any, lost: bool = False, shown: bool = True, **outage: Any
) -> payments.PaymentFindings:
    """Two submissions, after 10 and 20 s."""
    journal = Journal(began=0.0)
    if outage:
        away = journal.down("coloring", outage.get("how", ""))
        away.since = away.until = outage["at"]
    key = payments.image_key(b"photo")
    truth = state(version(possibly_paid_twice=shown), changes=[change("pending", 0.0), *changes])
    submits = [Submit("a", key, 4, 10.0, lost), Submit("b", key, 4, 20.0, lost=False)]
    return payments.colorings(truth, submits, root, journal)


def test_a_second_payment_needs_an_excuse(root: Path) -> None:
    assert judged(root).wrong
    assert judged(root, at=15.0).wrong
    assert judged(root, at=10.5, how="term").wrong
    assert not judged(root, at=10.5).wrong
    assert not judged(root, lost=True).wrong
    assert judged(root, lost=True).twice


def test_a_second_payment_after_a_recorded_first_is_a_violation(root: Path) -> None:
    assert judged(root, change("runpod_submitted", 11.0), lost=True).wrong
    assert judged(root, lost=True, shown=False).wrong


def test_another_run_may_submit_again(root: Path) -> None:
    assert judged(root, change("error", 12.0), change("pending", 15.0, 2)) == payments.PaymentFindings([], [])


def test_a_seed_always_draws_the_same() -> None:
    assert plan.draw(7, plan.FULL) == plan.draw(7, plan.FULL)
    assert plan.draw(7, plan.FULL) != plan.draw(8, plan.FULL)
    names = {fault.name for fault in plan.draw(7, plan.FULL)}
    assert {"kill nats", "kill postgres", "zombie coloring", "disk full", "broker deleted"} <= names


def test_every_test_named_in_the_documentation_exists() -> None:
    assert report.missing_tests() == []


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: str(known.number))
def test_the_document_matches_the_table_of_known_faults(known: KnownFault) -> None:
    row = report.of_known([]).splitlines()[1 + known.number].rsplit("|", 2)[0]
    assert row in report.DOCUMENT.read_text(encoding="utf-8")
