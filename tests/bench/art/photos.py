"""The photos that pages are made of, and what is said about each."""

from pathlib import Path

from pastelka_coloring.providers.local.style import LineWeight, PageStyle

_HERE = Path(__file__).parents[1] / "photos"
_SAMPLES = Path(__file__).parents[3] / "deploy/local/src/pastelka_local/sample"
PREVIOUS = _HERE / "previous"

PRESETS: dict[str, tuple[float, PageStyle]] = {
    "toddler": (1.0, PageStyle(steps=1, line_weight=LineWeight.BOLD)),
    "child": (1.0, PageStyle(steps=4)),
    "adult": (1.0, PageStyle(steps=12)),
}
"""Megapixels and style of each preset."""

KINDS = {
    "astronaut": "person",
    "hopper": "person with glasses",
    "mariachi": "group, profiles",
    "phone": "person, phone noise",
    "chelsea": "pet, close",
    "dog": "pet",
    "kitten": "pet",
    "sheep": "animal",
    "cow": "animals",
    "macaw": "bird",
    "raccoon": "animal in leaves",
    "coffee": "food",
    "flower": "flower",
    "china": "building",
    "castle": "building, landscape",
    "canyon": "landscape",
    "gateway": "building, low light",
}


WEAK: dict[str, str] = {}
"""One sentence for each photo whose page is still weak, after looking at it."""


def photos() -> dict[str, Path]:
    """The path of each photo by its name."""
    found = {path.stem: path for folder in (_SAMPLES, _HERE) for path in folder.glob("*.jpg")}
    return {name: found[name] for name in KINDS}
