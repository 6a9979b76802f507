"""Finds double payments and decides whether they were unavoidable.

A job at RunPod is one submission. A second one of the same run is allowed only if the first one's response
never reached a worker that lived to store it: the response was lost on the way, or the worker was killed,
stopped or terminated at that moment. Once the run was recorded as submitted (its status in the database) no
second one is allowed for any reason. A second one must be shown on the version.
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from pastelka_common.testing.fake_runpod import image_key
from tests.faults.checks import describe_version
from tests.faults.final_state import FinalState, Row
from tests.faults.journal import Journal
from tests.faults.providers import Charge, Submit
from tests.faults.system import SECOND

_WINDOW = 3.0
"""Seconds in which a worker that died may have been waiting for a response, on a busy machine."""
_KNOWN = ("runpod_submitted", "runpod_queued", "runpod_processing", "completed")


@dataclass(frozen=True, slots=True)
class PaymentFindings:
    """Findings: violations, and unavoidable second payments."""

    wrong: list[str]
    twice: list[str]


def colorings(state: FinalState, submits: list[Submit], root: Path, journal: Journal) -> PaymentFindings:
    """Check every submission to RunPod."""
    versions = _by_photo(state, root)
    wrong, twice = [], []
    by_version: defaultdict[tuple[str, int], list[Submit]] = defaultdict(list)
    for submit in submits:
        by_version[submit.key, submit.steps].append(submit)
    for key, made in by_version.items():
        version = versions.get(key)
        if version is None:
            continue  # of a deleted order
        for former, later in _second_ones(state, version, made):
            moments = f"{former.at - journal.began:.1f} and {later.at - journal.began:.1f}"
            sentence = f"{describe_version(version)} was submitted after {moments} s"
            known = _known_at(state, version, former, later)
            if known is not None:
                wrong.append(f"{sentence}, though its status was {known}")
            elif not _is_excused(former, journal):
                wrong.append(f"{sentence}, though its worker received the first response")
            else:
                twice.append(sentence)
                if not version["possibly_paid_twice"] and not _record_was_lost(former, later, journal):
                    wrong.append(f"{sentence}, which the version does not show")
    return PaymentFindings(wrong, twice)


def _by_photo(state: FinalState, root: Path) -> dict[tuple[str, int], Row]:
    keys: dict[str, str] = {}
    for version in state.colorings:
        if version["photo"] not in keys:
            keys[version["photo"]] = image_key((root / version["photo"]).read_bytes())
    return {(keys[v["photo"]], v["steps"]): v for v in state.colorings}


def _second_ones(state: FinalState, version: Row, made: list[Submit]) -> list[tuple[Submit, Submit]]:
    """Pairs of submissions within one run."""
    begins = _run_begins(state, version)
    run_of = [max((run for run, at in begins.items() if at <= submit.at), default=1) for submit in made]
    return [
        (made[place - 1], made[place]) for place in range(1, len(made)) if run_of[place] == run_of[place - 1]
    ]


def _run_begins(state: FinalState, version: Row) -> dict[int, float]:
    begins: dict[int, float] = {}
    for change in _changes(state, version):
        begins.setdefault(change["run"], change["at"])
    return begins


def _changes(state: FinalState, version: Row) -> list[Row]:
    return [c for c in state.changes if c["kind"] == version["kind"] and c["version_id"] == version["id"]]


def _known_at(state: FinalState, version: Row, former: Submit, later: Submit) -> str | None:
    seen = [
        c["status"]
        for c in _changes(state, version)
        if c["status"] in _KNOWN and former.at < c["at"] < later.at
    ]
    return seen[0] if seen else None


def _record_was_lost(former: Submit, later: Submit, journal: Journal) -> bool:
    """Whether the broker lost its store in between, and with it the record of the first submission."""
    return journal.was_down({"store"}, former.at, later.at)


def _is_excused(submit: Submit, journal: Journal) -> bool:
    if submit.lost:
        return True
    return any(
        outage.part in {"coloring", SECOND}
        # A worker that gets SIGTERM has the time to receive the response.
        and outage.how != "term"
        and submit.at - 0.5 <= outage.since <= submit.at + _WINDOW
        for outage in journal.outages
    )


def svgs(
    state: FinalState, charges: list[Charge], pages: dict[str, str], journal: Journal
) -> PaymentFindings:
    """Check every charge of Vectorizer.ai; ``pages`` are the hashes of the stored pages by path."""
    runs: defaultdict[str, int] = defaultdict(int)
    names: dict[str, str] = {}
    shown: dict[str, bool] = {}
    colorings = {v["id"]: v for v in state.colorings}
    for version in state.svgs:
        page = pages.get(colorings[version["coloring_version_id"]]["path"] or "")
        if page is not None:
            runs[page] += version["run"]
            names[page] = describe_version(version)
            shown[page] = shown.get(page, False) or version["possibly_paid_twice"]
    wrong, twice = [], []
    by_page: defaultdict[str, list[Charge]] = defaultdict(list)
    for charge in charges:
        if charge.page in runs:
            by_page[charge.page].append(charge)
    for page, made in by_page.items():
        extra = len(made) - runs[page]
        if extra <= 0:
            continue
        excused = sum(_is_cut_off(charge, journal) for charge in made)
        moments = " and ".join(f"{charge.since - journal.began:.1f}" for charge in made)
        sentence = f"{names[page]} was vectorized for {runs[page]} runs after {moments} s"
        (twice if excused >= extra else wrong).append(sentence)
        lost = journal.was_down({"store"}, made[0].since, made[-1].since)
        if excused >= extra and not shown[page] and not lost:
            wrong.append(f"{sentence}, which the version does not show")
    return PaymentFindings(wrong, twice)


def _is_cut_off(charge: Charge, journal: Journal) -> bool:
    """Whether the requesting worker was killed, stopped or terminated before it could store the response."""
    return any(
        outage.part == "vectorize" and charge.since - 0.5 <= outage.since <= charge.until + _WINDOW
        for outage in journal.outages
    )
