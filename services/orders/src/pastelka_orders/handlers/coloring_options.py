"""Which coloring options are accepted."""

from collections.abc import Collection

from pastelka_common.contracts.options import COLORING_OPTIONS, ColoringProviderName, unsupported_options
from pastelka_orders.errors import OptionUnsupportedError


def require_supported(provider: ColoringProviderName, names: Collection[str]) -> None:
    """Raise ``OptionUnsupportedError`` if the provider does not take one of the named options."""
    unsupported = unsupported_options(provider, names)
    if unsupported:
        raise OptionUnsupportedError(provider, unsupported, COLORING_OPTIONS[provider])
