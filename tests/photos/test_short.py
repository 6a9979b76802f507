"""A part of the corpus; ``make test-photos`` decodes all of it."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.photos.comparing import BOUNDS, Decoding, decoding
from tests.photos.corpus import CASES, Case, scene
from tests.photos.corrupted import corrupted

_EVERY = 7
SHORT = [
    *(case for case in CASES if case.orientation == 1 and case.damage == "none"),
    *[case for case in CASES if case.orientation != 1 or case.damage != "none"][::_EVERY],
]


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoding]:
    """The service's decoders."""
    with decoding() as found:
        yield found


@pytest.mark.parametrize("case", SHORT, ids=lambda case: case.name)
def test_two_decoders_agree(case: Case, decoder: Decoding) -> None:
    outcome = decoder.outcome(case)
    assert not outcome.is_finding, str(outcome)
    assert outcome.memory <= BOUNDS.usual
    assert outcome.seconds <= BOUNDS.seconds


def test_the_corpus_has_the_documented_size() -> None:
    assert len(CASES) >= 300
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_comparison_detects_differences(decoder: Decoding) -> None:
    """Detects different pixels, and a verdict of one decoder only."""
    named = {case.name: case for case in CASES}
    whole = named["PNG grey 1 none"]
    content = whole.make()
    assert decoder.compare(whole, content, content).agrees
    for other in (named["PNG rgb 1 none"], named["PNG grey 1 cut"]):
        assert decoder.compare(whole, content, other.make()).is_finding
        assert decoder.compare(whole, other.make(), content).is_finding


@pytest.mark.parametrize("name", ["TIFF preview first", "HEIC grid", "AVIF sequence", "TIFF lab"])
def test_files_that_only_the_service_decodes_are_correct(name: str, decoder: Decoding) -> None:
    case = next(case for case in CASES if case.name == f"{name} 1 none")
    _, ours, _, _ = decoder.ours(case.make())
    assert ours is not None
    expected = np.asarray(scene((ours.shape[1], ours.shape[0])), dtype=np.int16)
    assert np.abs(ours - expected).mean() <= 3


def test_corrupted_files_never_cause_a_server_error(decoder: Decoding) -> None:
    verdicts = {decoder.ours(content)[0] for _, content in corrupted(seed=4, count=150)}
    assert {"accepted", "photo_damaged"} <= verdicts
