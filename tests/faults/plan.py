"""The faults of a run and their times, drawn from a seed, so that a run can be repeated."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

SERVICES = ("api", "worker", "coloring", "vectorize", "notifier")
SERVERS = ("nats", "postgres", "mercure", "nginx")
RUNPOD_MODES = ("429", "500", "garbage", "drop", "hang", "lost")
VECTORIZER_MODES = ("429", "500", "garbage", "drop", "hang")
ACCESS = ("-ERR", "foreign stream")
LIES = ("older", "damaged", "deleted")
DATABASE_FAULTS = ("silent", "readonly", "orphan")
ZOMBIES = ("coloring", "vectorize", "worker")

ZOMBIE_SECONDS = 13.0
"""Longer than the acknowledgement deadline of any long job (10 s)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault injected into ``target`` after ``at`` seconds and reverted ``seconds`` later.

    ``kind`` is ``kill``, ``term``, ``zombie``, ``disk``, ``runpod``, ``vectorizer``, ``broker``, ``database``
    or ``pooler``.
    """

    at: float
    kind: str
    target: str
    seconds: float

    @property
    def name(self) -> str:
        """Kind and target, the report's key."""
        return f"{self.kind} {self.target}"


@dataclass(frozen=True, slots=True)
class Shape:
    """Size of a run. ``faults`` keeps only those whose name begins with one of these words."""

    images: int = 200
    orders: int = 20
    window: float = 100.0
    deadline: float = 240.0
    deletes: int = 2
    clicks_every: float = 1.2
    copy_age: float = 30.0
    faults: tuple[str, ...] = ()

    @property
    def photos(self) -> int:
        """Number of photos per order."""
        return max(1, self.images // self.orders)


FULL = Shape()
SHORT = Shape(images=24, orders=4, window=9.0, deadline=60.0, deletes=0, clicks_every=0.8, copy_age=5.0)


def draw(seed: int, shape: Shape) -> list[Fault]:
    """The faults of a run, in the order in which they begin."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    faults = [
        *_ends(chance, shape),
        *_providers(chance, shape),
        *_others(chance, shape),
        *_database(chance, shape),
    ]
    wanted = [fault for fault in faults if _is_wanted(fault, shape.faults)]
    return sorted(wanted, key=lambda fault: fault.at)


def _is_wanted(fault: Fault, words: Sequence[str]) -> bool:
    return not words or any(fault.name.startswith(word) for word in words)


def _ends(chance: random.Random, shape: Shape) -> list[Fault]:
    """Kill every component once, and terminate every service once."""
    kills = [_at_random(chance, shape, "kill", part, (0.5, 5.0)) for part in (*SERVICES, *SERVERS)]
    terms = [_at_random(chance, shape, "term", service, (0.2, 3.0)) for service in SERVICES]
    return [*kills, *terms]


def _providers(chance: random.Random, shape: Shape) -> list[Fault]:
    runpod = [_at_random(chance, shape, "runpod", mode, (2.0, 5.0)) for mode in RUNPOD_MODES]
    vectorizer = [_at_random(chance, shape, "vectorizer", mode, (2.0, 5.0)) for mode in VECTORIZER_MODES]
    return [*runpod, *vectorizer]


def _others(chance: random.Random, shape: Shape) -> list[Fault]:
    zombies = [
        Fault(chance.uniform(0.1, 0.7) * shape.window, "zombie", target, ZOMBIE_SECONDS) for target in ZOMBIES
    ]
    disk = _at_random(chance, shape, "disk", "full", (3.0, 8.0))
    # Spread over the run in random order; the first one needs a copy of sufficient age.
    lies = chance.sample(LIES, len(LIES))
    places = [
        Fault(shape.window * (0.45 + 0.22 * place + chance.uniform(0, 0.1)), "broker", lie, 1.0)
        for place, lie in enumerate(lies)
    ]
    # Drawn last, so that a seed keeps drawing the other faults as before.
    access = [_at_random(chance, shape, "broker", one, (3.0, 8.0)) for one in ACCESS]
    return [*zombies, disk, *places, *access]


def _database(chance: random.Random, shape: Shape) -> list[Fault]:
    """Longer than the service's longest timeout, so that each fault has an effect."""
    moods = [_at_random(chance, shape, "database", mood, (14.0, 18.0)) for mood in DATABASE_FAULTS]
    return [*moods, _at_random(chance, shape, "pooler", "killed", (0.5, 5.0))]


def _at_random(
    chance: random.Random, shape: Shape, kind: str, target: str, seconds: tuple[float, float]
) -> Fault:
    at = chance.uniform(0.08, 0.95) * shape.window
    return Fault(at, kind, target, round(chance.uniform(*seconds), 1))
