"""The presets of coloring options."""

from typing import Literal, NamedTuple, get_args

from pastelka_common.contracts.options import (
    COLORING_OPTIONS,
    ColoringOptions,
    ColoringProviderName,
    LineWeight,
)

PresetName = Literal["quick", "fine", "best", "toddler", "child", "adult"]

# ``child`` and ``quick`` are the same: one is named for who colors, the other for its cost.
_OPTIONS: dict[PresetName, ColoringOptions] = {
    "quick": ColoringOptions(),
    "fine": ColoringOptions(megapixels=2.0),
    "best": ColoringOptions(megapixels=4.0, steps=8),
    "toddler": ColoringOptions(steps=1, line_weight=LineWeight.BOLD),
    "child": ColoringOptions(steps=4),
    "adult": ColoringOptions(megapixels=2.0, steps=12),
}


class Preset(NamedTuple):
    """Options with a name."""

    name: PresetName
    options: ColoringOptions


def presets_of(provider: ColoringProviderName) -> list[Preset]:
    """The presets, reduced to the options that the provider supports."""
    supported = set(COLORING_OPTIONS[provider])
    return [
        Preset(name, ColoringOptions.model_validate(_OPTIONS[name].model_dump(include=supported)))
        for name in get_args(PresetName)
    ]
