"""Validation of coloring options."""

from collections.abc import Collection

from pastelka_common.contracts.options import COLORING_OPTIONS, ColoringProviderName, unsupported_options
from pastelka_orders.errors import OptionUnsupportedError


def require_supported(provider: ColoringProviderName, names: Collection[str]) -> None:
    """Raise ``OptionUnsupportedError`` if the provider does not support one of the options."""
    unsupported = unsupported_options(provider, names)
    if unsupported:
        raise OptionUnsupportedError(provider, unsupported, COLORING_OPTIONS[provider])
