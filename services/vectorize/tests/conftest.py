"""Pages to vectorize, and a progress that records its calls."""

import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image, ImageDraw, ImageFilter

from pastelka_common.contracts.options import GroupBy, ShapeStacking
from pastelka_common.contracts.statuses import SvgProcessingStatus
from pastelka_common.testing.fake_vectorizer import FakeVectorizer
from pastelka_common.testing.sources import local_source
from pastelka_vectorize.providers import SvgRequest

MakeRequest = Callable[..., SvgRequest]


class Steps:
    """Every status a provider reported."""

    def __init__(self) -> None:
        self.seen: list[SvgProcessingStatus] = []

    async def submitting(self, status: SvgProcessingStatus) -> None:
        self.seen.append(status)


@pytest.fixture
def steps() -> Steps:
    return Steps()


def draw_page(side: int = 400) -> Image.Image:
    """Line art with soft edges: a flower in a frame, rings in rings (eight deep), waves, dots."""
    scale = 3
    page = Image.new("L", (side * scale, side * scale), 255)
    pen = ImageDraw.Draw(page)
    unit = side * scale / 1000

    def circle(x: float, y: float, r: float, width: int = 10) -> None:
        box = [(x - r) * unit, (y - r) * unit, (x + r) * unit, (y + r) * unit]
        pen.ellipse(box, outline=0, width=max(1, round(width * unit)))

    pen.rectangle([30 * unit, 30 * unit, 970 * unit, 970 * unit], outline=0, width=round(12 * unit))
    for petal in range(8):
        angle = petal * math.pi / 4
        circle(320 + 120 * math.cos(angle), 320 + 120 * math.sin(angle), 70)
    for radius in (40, 80, 120, 160):
        circle(700, 320, radius, 14)
    for wave in range(6):
        points = [
            (x * unit, (650 + 40 * wave + 25 * math.sin(x / 40 + wave)) * unit) for x in range(80, 920, 4)
        ]
        pen.line(points, fill=0, width=round(9 * unit), joint="curve")
    for dot in range(12):
        pen.ellipse([(90 + 70 * dot) * unit, 905 * unit, (105 + 70 * dot) * unit, 920 * unit], fill=0)
    return page.resize((side, side), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.5))


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "page.png"
    draw_page().save(path)
    return path


@pytest.fixture
def make_request(page: Path) -> MakeRequest:
    def make(
        path: Path = page,
        shape_stacking: ShapeStacking = ShapeStacking.STACKED,
        group_by: GroupBy = GroupBy.COLOR,
    ) -> SvgRequest:
        return SvgRequest(local_source(path), shape_stacking, group_by)

    return make


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakeVectorizer]:
    async with FakeVectorizer() as server:
        yield server
