"""Invariants at the end of every run. Each check returns the violations, one sentence each."""

import io
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PIL import Image

from pastelka_common.storage import thumbnail_path
from tests.faults.browser import Browser
from tests.faults.client import Answer, Client
from tests.faults.final_state import FinalState, Row
from tests.faults.journal import Journal

_PROBLEM = "application/problem+json"
_MARGIN = 1.0
"""Seconds after a component's return in which an earlier request may still fail."""


def describe_version(version: Row) -> str:
    """Description of a version."""
    return f"{version['kind']} {version['id']} of order {version['order_number']}"


def every_version_ended(state: FinalState) -> list[str]:
    """``completed`` with a path, or ``error`` with a code and a message."""
    wrong = [f"{describe_version(v)} is still {v['status']} (run {v['run']})" for v in state.unfinished]
    for version in state.versions:
        if version["status"] == "error" and not (version["error_code"] and version["error_message"]):
            wrong.append(f"{describe_version(version)} is in error without a reason")
        if version["status"] == "error" and version["error_code"] == "unknown":
            wrong.append(f"{describe_version(version)} is in error for an unknown reason")
        if version["status"] == "completed" and not version["path"]:
            wrong.append(f"{describe_version(version)} is completed without a path")
    return wrong


def every_retry_succeeded(state: FinalState) -> list[str]:
    """Every version in error was retried once without faults: none may fail again."""
    return [
        f"{describe_version(v)} failed again after a retry "
        f"(run {v['run']}): {v['error_code']}: {v['error_message']}"
        for v in state.versions
        if v["status"] == "error"
    ]


def every_version_has_its_number(state: FinalState) -> list[str]:
    """No two versions of an image and kind have one number."""
    numbers = Counter((v["kind"], v["image_id"], v["version"]) for v in state.versions)
    return [
        f"version number {number} was given {count} times" for number, count in numbers.items() if count > 1
    ]


def every_file_is_whole(state: FinalState, root: Path, found: set[str]) -> list[str]:
    """Every completed version has its own complete file, and every file belongs to a version."""
    completed = [v for v in state.versions if v["status"] == "completed" and v["path"]]
    wrong = [
        f"{describe_version(version)}: {trouble}"
        for version in completed
        if (trouble := _trouble(root, version, found))
    ]
    shared = Counter(v["path"] for v in completed)
    wrong += [f"{path} is the file of {count} versions" for path, count in shared.items() if count > 1]
    return wrong + _orphans(state, found)


def _trouble(root: Path, version: Row, found: set[str]) -> str | None:
    if version["path"] not in found:
        return f"its file {version['path']} is not there"
    content = (root / version["path"]).read_bytes()
    try:
        if version["kind"] == "svg":
            ElementTree.fromstring(content)  # noqa: S314 - written by our own service
        else:
            Image.open(io.BytesIO(content)).load()
    except (OSError, SyntaxError, ValueError) as error:
        return f"its file {version['path']} ({len(content)} bytes) is broken: {error}"
    return None


def _orphans(state: FinalState, found: set[str]) -> list[str]:
    """Files that belong to no row.

    A version in error may have left its file and the marker of its provider job.
    """
    named = {path for path in state.photos if path}
    named |= {v["path"] for v in state.versions if v["path"]}
    failed = {_target(v) for v in state.versions if v["status"] == "error"}
    named |= failed
    named |= {thumbnail_path(path) for path in named}
    named |= {_note(path) for path in failed}
    uploads = {str(order_id) for order_id in state.uploads}
    reserved = {path for path in found if path.split("/")[0] in uploads}
    return [f"file {path} belongs to no row" for path in sorted(found - named - reserved)]


def _target(version: Row) -> str:
    """Path of a version's file: beside its photo, by kind and number."""
    folder, _, photo = version["photo"].rpartition("/")
    suffix = "svg" if version["kind"] == "svg" else "png"
    stem = photo.rpartition(".")[0]
    return f"{folder}/{version['kind']}/v{version['version']}/{stem}.{suffix}"


def _note(path: str) -> str:
    """Path of the marker of a version's run (``pastelka_common.jobs.run_markers``)."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/.{name}.run"


def no_work_is_left(state: FinalState, jobs: list[str]) -> list[str]:
    """No message in ``JOBS``, no row in the outbox, no row whose claim was lost and not taken over."""
    wrong = [f"message {subject} is left in JOBS" for subject in jobs]
    wrong += [f"{state.claims} row jobs are left"] if state.claims else []
    return wrong + ([f"{state.outbox} rows are left in the outbox"] if state.outbox else [])


def dead_letters_are_errors(state: FinalState, letters: list[tuple[str, Row]]) -> list[str]:
    """Every dead letter belongs to a run that ended in error."""
    failed = {(c["kind"], c["version_id"], c["run"]) for c in state.changes if c["status"] == "error"}
    known = {(v["kind"], v["id"]) for v in state.versions}
    wrong = []
    for subject, job in letters:
        kind = subject.split(".")[1]
        if (kind, job.get("version_id")) not in known:
            continue  # of a deleted order
        if (kind, job["version_id"], job["run"]) not in failed:
            reason = f"run {job['run']}, {job.get('code')}"
            wrong.append(f"dead letter {subject} ({reason}), but that run did not end in error")
    return wrong


def the_browser_shows_it(browser: Browser, orders: dict[str, Any]) -> list[str]:
    """The browser shows the same state as the API."""
    shown = browser.orders
    wrong = [f"the browser does not show order {number}" for number in orders.keys() - shown.keys()]
    wrong += [f"the browser still shows order {number}" for number in shown.keys() - orders.keys()]
    if sorted(browser.listed) != sorted(orders):
        wrong.append("the browser's list is not that of the database")
    for number in orders.keys() & shown.keys():
        wrong += _differences(number, shown[number], orders[number])
    return wrong


def _differences(number: str, shown: Any, true: Any) -> list[str]:
    mine = {image["id"]: image for item in shown["line_items"] for image in item["images"]}
    theirs = {image["id"]: image for item in true["line_items"] for image in item["images"]}
    wrong = [
        f"the browser shows image {image_id} of {number} as it was: {_difference(mine.get(image_id), image)}"
        for image_id, image in theirs.items()
        if mine.get(image_id) != image
    ]
    heads = [{key: value for key, value in one.items() if key != "line_items"} for one in (shown, true)]
    return wrong if heads[0] == heads[1] else [*wrong, f"the browser shows the head of {number} as it was"]


def _difference(shown: Any, true: Any) -> str:
    if shown is None:
        return "not at all"
    for kind in ("coloring", "svg"):
        before = [(v["id"], v["status"]) for v in shown["versions"][kind]]
        now = [(v["id"], v["status"]) for v in true["versions"][kind]]
        if before != now:
            return f"{kind} {before} instead of {now}"
    fields = [name for name in true if shown.get(name) != true[name]]
    return f"other {', '.join(fields)}: {[shown.get(name) for name in fields]} / {[true[n] for n in fields]}"[
        :600
    ]


def responses_were_allowed(client: Client, journal: Journal) -> list[str]:
    """No 5xx and no missing response, except while a component was down, and then a problem document."""
    wrong = []
    for answer in client.troubles:
        if _is_allowed(answer, journal):
            continue
        what = answer.status or f"nothing ({answer.excerpt})"
        wrong.append(
            f"{answer.method} {answer.path} was answered {what} after "
            f"{answer.since - journal.began:.1f} s: {answer.excerpt[:160]}"
        )
    return wrong


def _is_allowed(answer: Answer, journal: Journal) -> bool:
    def down(*parts: str) -> bool:
        return journal.was_down(parts, answer.since, answer.until, after=_MARGIN)

    if answer.status is None:
        return down("nginx")
    if answer.media_type != _PROBLEM:
        return False
    if answer.status == 503 and down("api", "postgres"):
        return True
    is_upload = answer.method == "POST" and answer.path == "/orders"
    return answer.status in {503, 507} and is_upload and down("disk")
