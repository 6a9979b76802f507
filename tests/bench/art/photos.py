"""The photos of the benchmark and remarks about each."""

from pathlib import Path

from pastelka_coloring.providers.local.style import PageStyle
from pastelka_orders.domain.coloring_options import presets_of

_HERE = Path(__file__).parents[1] / "photos"
_SAMPLES = Path(__file__).parents[3] / "deploy/local/src/pastelka_local/sample"
PREVIOUS = _HERE / "previous"

PRESETS: dict[str, tuple[float, PageStyle]] = {
    name: (1.0, PageStyle(options.steps, options.frame, options.background, options.line_weight))
    for name, options in presets_of("local")
    if name in ("toddler", "child", "adult")
}
"""Megapixels and style of the presets by who colors, all at the size that the figures are for."""

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


WEAK: dict[str, str] = {
    "astronaut": "the shuttle beside the rocket is missing, the badges are arbitrary blobs.",
    "hopper": "the badge of the cap is a few blobs, half of the stars are gone, and the left temple of the"
    " glasses ends in the cheek; no more regions than before.",
    "mariachi": "the faces in profile have an eye and an outline only; hands and instruments cannot be told.",
    "phone": "noise costs the patches of the suit and the lower part of the rocket.",
    "chelsea": "the head is open at the top, the pupils are empty, and shadows of the fur become shapes.",
    "dog": "the face has no eyes, and the grass under the belly becomes a shape.",
    "kitten": "no nose; the wool is a few arbitrary patches.",
    "sheep": "the muzzle ends in one ring around the nose, and the fleece is cut into arbitrary areas.",
    "cow": "the hind legs run into one shape with what lies between them; no eye.",
    "macaw": "no eye, and few feathers.",
    "raccoon": "failed: fur and leaves mix, and no animal can be made out.",
    "coffee": "reflections on saucer and spoon and the shadow below become shapes.",
    "flower": "the middle is a few large petals of arbitrary outline; less than twice the regions of before.",
    "china": "the railings and windows are bands and blobs.",
    "castle": "most windows are gone, some walls are mazes, and the wood is arbitrary patches.",
    "canyon": "cliffs, bushes and river are bands that are hard to tell apart.",
    "gateway": "palms and lamps become blobs.",
}
"""A remark for each photo whose page is still weak, written after inspection."""


def photos() -> dict[str, Path]:
    """The path of each photo by its name."""
    found = {path.stem: path for folder in (_SAMPLES, _HERE) for path in folder.glob("*.jpg")}
    return {name: found[name] for name in KINDS}
