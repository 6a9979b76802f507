"""The images, how each is built, and its maximum size."""

from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "images"
USER = "10001:10001"
SERVICES = ("orders", "coloring", "vectorize", "notifier")


@dataclass(frozen=True)
class Image:
    """One image; ``budget`` is the maximum that it may add to its base, in MB (10^6 bytes)."""

    name: str
    dockerfile: str
    budget: int
    arguments: dict[str, str] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """Its tag in the test's own store."""
        return f"localhost/pastelka-{self.name}:test"

    @property
    def package(self) -> str | None:
        """The workspace member in the image, if it is a Python service."""
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
