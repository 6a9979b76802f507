"""Options of versions, with their bounds."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class ShapeStacking(StrEnum):
    """Vectorizer.ai ``output.shape_stacking``: shapes cut out of those below, or laid over them.

    ``none`` is the replaced system's value for *not stacked*; providers treat it as ``cutouts``.
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


class Background(StrEnum):
    """What is drawn outside of the subject: all, less, or nothing."""

    KEEP = "keep"
    QUIET = "quiet"
    NONE = "none"


class LineWeight(StrEnum):
    """Width of the lines, relative to the chosen detail."""

    THIN = "thin"
    NORMAL = "normal"
    BOLD = "bold"


def _whole_number(value: object) -> object:
    """Accept 4.0 as 4, as JSON does; reject ``"4"`` and ``true``."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Megapixels = Annotated[
    float, Field(ge=0.5, le=8, allow_inf_nan=False, strict=True, description="Size of the page")
]
Steps = Annotated[
    int, Field(ge=1, le=20, strict=True, description="Detail of the page"), BeforeValidator(_whole_number)
]


Frame = Annotated[bool, Field(strict=True, description="Whether the page has a thin border")]


class ColoringOptions(BaseModel):
    """Options of a coloring page: size in megapixels (0.5 to 8), detail in steps (1 to 20), style.

    Style options are serialized only if they differ from their default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    megapixels: Megapixels = 1.0
    steps: Steps = 4
    frame: Frame = Field(default=True, exclude_if=lambda frame: frame is True)
    background: Background = Field(
        default=Background.QUIET,
        exclude_if=lambda background: background == Background.QUIET,
        description="What is drawn outside of the subject: all, less, or nothing",
    )
    line_weight: LineWeight = Field(
        default=LineWeight.NORMAL,
        exclude_if=lambda line_weight: line_weight == LineWeight.NORMAL,
        description="Width of the lines, relative to the chosen detail",
    )


ColoringProviderName = Literal["local", "runpod"]

_OF_EVERY_PROVIDER = ("megapixels", "steps")
COLORING_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "local": tuple(ColoringOptions.model_fields),
    "runpod": _OF_EVERY_PROVIDER,
}
"""Supported options of each provider (``ColoringProviderName``), in order."""


def unsupported_options(provider: str, names: Collection[str]) -> list[str]:
    """Those of the named coloring options that a provider does not support, in order."""
    supported = COLORING_OPTIONS.get(provider, _OF_EVERY_PROVIDER)
    return [name for name in ColoringOptions.model_fields if name in names and name not in supported]


class SvgOptions(BaseModel):
    """Options of an SVG; the values are Vectorizer.ai's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shape_stacking: ShapeStacking = ShapeStacking.STACKED
    group_by: GroupBy = GroupBy.COLOR
