"""Which images there are, how each is built, and how large it may be."""

from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "images"
USER = "10001:10001"
SERVICES = ("orders", "coloring", "vectorize", "notifier")


@dataclass(frozen=True)
class Image:
    """One image; ``budget`` is the most that it may add to its base, in MB (10^6 bytes)."""

    name: str
    dockerfile: str
    budget: int
    arguments: dict[str, str] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """What it is called in the test's own store."""
        return f"localhost/pastelka-{self.name}:test"

    @property
    def package(self) -> str | None:
        """The member of the workspace that it carries, if it is a Python service."""
        return f"pastelka-{self.name}" if self.name in SERVICES else None


def _service(name: str, budget: int) -> Image:
    return Image(name, "service.Dockerfile", budget, {"SERVICE": name})


IMAGES = (
    _service("orders", 220),
    _service("coloring", 750),
    _service("vectorize", 350),
    _service("notifier", 80),
    Image("hub", "hub.Dockerfile", 80),
    Image("gateway", "gateway.Dockerfile", 5),
)
