"""Files with a few changed bytes: each is accepted or rejected, never a server error."""

import random
from collections.abc import Iterator

from tests.photos.corpus import CASES

_SPANS = (64, 300, 10**9)
"""Upper ends of the ranges to change, in bytes: headers are short, and most changes must hit them."""


def corrupted(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Name and content of ``count`` files, the same for the same ``seed``."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be kept secret
    whole = [case for case in CASES if case.damage == "none" and case.orientation in {1, 6}]
    for number in range(count):
        case = chance.choice(whole)
        yield f"{case.name}, seed {seed}, number {number}", _corrupt(bytearray(case.make()), chance)


def _corrupt(content: bytearray, chance: random.Random) -> bytes:
    span = min(chance.choice(_SPANS), len(content))
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(span)
        bit = content[at] ^ (1 << chance.randrange(8))
        content[at] = chance.choice((0, 1, 255, bit, chance.randrange(256)))
    if chance.random() < 0.1:
        at = chance.randrange(len(content))
        del content[at : at + chance.randrange(1, 40)]
    return bytes(content)
