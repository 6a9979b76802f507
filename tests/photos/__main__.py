"""``make test-photos``: decodes the corpus with the service's decoder and another one; measures large photos.

Prints a table and every disagreement with its reason. Exits with 1 if a disagreement has no known reason, or
if a limit is exceeded.
"""

import secrets
from collections import Counter

from pastelka_orders.photos.decoders import DecoderFailedError
from tests.photos.comparing import BOUNDS, Decoding, Outcome, decoding
from tests.photos.corpus import CASES
from tests.photos.corrupted import corrupted
from tests.photos.large import LARGE
from tests.photos.table import disagreements, table

_CORRUPTED = 2000


def main() -> int:
    """0 if there are no findings."""
    with decoding() as decoder:
        outcomes = [decoder.outcome(case) for case in CASES]
        print(table(outcomes))
        print(disagreements(outcomes))
        print(f"\n{_CORRUPTED} files with changed bytes: {_verdicts(decoder, secrets.randbelow(2**31))}")
        is_bounded = _are_small(outcomes) & _are_bounded(decoder)
    return 0 if is_bounded and not any(outcome.is_finding for outcome in outcomes) else 1


def _verdicts(decoder: Decoding, seed: int) -> str:
    """Count the verdicts. Raises ``DecoderFailedError`` where the service would return 500."""
    counted: Counter[str] = Counter()
    for name, content in corrupted(seed, _CORRUPTED):
        try:
            counted[decoder.ours(content)[0]] += 1
        except DecoderFailedError as error:
            error.add_note(name)
            raise
    return ", ".join(f"{count} {verdict}" for verdict, count in counted.most_common())


def _are_small(outcomes: list[Outcome]) -> bool:
    return all(one.memory <= BOUNDS.usual and one.seconds <= BOUNDS.seconds for one in outcomes)


def _are_bounded(decoder: Decoding) -> bool:
    bounds = f"(at most {BOUNDS.seconds:.0f} s, {BOUNDS.large / 1e6:.0f} MB)"
    print(f"\n{'':40} {'verdict':>10} {'s':>6} {'MB':>6} {bounds}")
    is_bounded = True
    for name, make in LARGE:
        verdict, _, seconds, memory = decoder.ours(make())
        print(f"{name:40} {verdict:>10} {seconds:6.1f} {memory / 1e6:6.0f}")
        is_bounded &= verdict == "accepted" and memory <= BOUNDS.large and seconds <= BOUNDS.seconds
    return is_bounded


if __name__ == "__main__":
    raise SystemExit(main())
