"""The options a person may choose for a version, with their bounds."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class ShapeStacking(StrEnum):
    """Vectorizer.ai ``output.shape_stacking``: shapes cut out of those below, or laid over them.

    ``none`` is the word of the system we replace for *not stacked*; providers treat it as
    ``cutouts``.
    """

    CUTOUTS = "cutouts"
    STACKED = "stacked"
    NONE = "none"


class GroupBy(StrEnum):
    """Vectorizer.ai ``output.group_by``: what SVG groups stand for."""

    NONE = "none"
    COLOR = "color"
    PARENT = "parent"
    LAYER = "layer"


def _whole(value: object) -> object:
    """In JSON 4.0 is the same number as 4; ``"4"`` and ``true`` are none."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Megapixels = Annotated[
    float, Field(ge=0.5, le=8, allow_inf_nan=False, strict=True, description="Size of the page")
]
Steps = Annotated[
    int, Field(ge=1, le=20, strict=True, description="Detail of the page"), BeforeValidator(_whole)
]


class ColoringOptions(BaseModel):
    """How a coloring page is made: size in megapixels (0.5 to 8), detail in steps (1 to 20)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    megapixels: Megapixels = 1.0
    steps: Steps = 4


class SvgOptions(BaseModel):
    """How an SVG is made; the values are Vectorizer.ai's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shape_stacking: ShapeStacking = ShapeStacking.STACKED
    group_by: GroupBy = GroupBy.COLOR
