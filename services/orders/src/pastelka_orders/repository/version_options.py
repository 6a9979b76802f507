"""Conversion of options from columns."""

from sqlalchemy import RowMapping

from pastelka_common.contracts.options import (
    Background,
    ColoringOptions,
    GroupBy,
    LineWeight,
    ShapeStacking,
    SvgOptions,
)

OPTION_COLUMNS = "c.megapixels, c.steps, c.has_frame, c.background, c.line_weight"
"""The columns of a coloring's options."""

_DEFAULTS = ColoringOptions()
COLORING_OPTIONS_JSON = f"""json_build_object('megapixels', c.megapixels, 'steps', c.steps,
    'frame', NULLIF(c.has_frame, {_DEFAULTS.frame}),
    'background', NULLIF(c.background, '{_DEFAULTS.background}'),
    'line_weight', NULLIF(c.line_weight, '{_DEFAULTS.line_weight}'))"""
"""A coloring's options as the API shows them; style options with their default are null."""


def coloring_options(row: RowMapping) -> ColoringOptions:
    """Options of a coloring's row; invalid numbers from the replaced system are kept."""
    return ColoringOptions.model_construct(
        megapixels=row["megapixels"],
        steps=row["steps"],
        frame=row["has_frame"],
        background=Background(row["background"]),
        line_weight=LineWeight(row["line_weight"]),
    )


def svg_options(shape_stacking: str, group_by: str) -> SvgOptions:
    """Options of an SVG's row; invalid values from the replaced system become the defaults."""
    defaults = SvgOptions()
    stackings = {member.value: member for member in ShapeStacking}
    groups = {member.value: member for member in GroupBy}
    return SvgOptions(
        shape_stacking=stackings.get(shape_stacking, defaults.shape_stacking),
        group_by=groups.get(group_by, defaults.group_by),
    )
