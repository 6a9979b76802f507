"""Conversion to sRGB from ICC profiles, coding-independent code points and PNG's gamma.

Sources: ITU-T H.273 (code points), ITU-R BT.2100 (PQ, HLG), BT.2408 (reference white), IEC 61966-2-1 (sRGB),
W3C PNG 3rd edition (4.3, precedence).
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms

Array = NDArray[np.float64]
Convert = Callable[[Image.Image], Image.Image]

_D65 = (0.3127, 0.3290)
_BT_709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *_D65)
_BT_601_625 = (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65)
_BT_601_525 = (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65)
# Red, green, blue and white in CIE xy by code point (H.273, table 2). Unknown ones are read as BT.709.
_PRIMARIES = {
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, 0.310, 0.316),
    5: _BT_601_625,
    6: _BT_601_525,
    7: _BT_601_525,
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
_WHITE_NITS = 203.0  # HDR reference white (BT.2408, 2.2)
_KNEE = 0.8
_ROWS = 128  # per step: floats need four times the memory
_MAX_LEVEL_DIFFERENCE = 2
_SWATCH_STEPS = range(0, 256, 17)
_GAMMA_TOLERANCE = 0.005  # PNG files in sRGB say 1/2.2 (PNG, 11.3.2.5)
_PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}


@dataclass(frozen=True, slots=True)
class CodePoints:
    """Color space: ``primaries`` in CIE xy (red, green, blue, white), and the transfer function.

    ``linear`` converts values from 0 to 1 to linear light, where 1 is (reference) white.
    """

    primaries: tuple[float, ...]
    linear: Callable[[Array], Array]

    @classmethod
    def of(cls, primaries: int, transfer: int) -> "CodePoints":
        """The color space of two H.273 code points."""
        return cls(_PRIMARIES.get(primaries, _BT_709), _CURVES.get(transfer, _srgb_to_linear))

    def to_srgb(self, image: Image.Image) -> Image.Image:
        """Convert an ``RGB`` or ``L`` image to sRGB; highlights above white are rolled off."""
        converted = Image.new("RGB", image.size)
        for top in range(0, image.height, _ROWS):
            rows = image.crop((0, top, image.width, min(top + _ROWS, image.height))).convert("RGB")
            converted.paste(Image.fromarray(self._rows(np.asarray(rows))), (0, top))
        return converted.convert(image.mode)

    def _rows(self, levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        light = self.linear(np.arange(256) / 255)[levels]
        if self.linear is _hlg_to_linear:
            light = _as_displayed(light, self.primaries)
        light = np.maximum(light @ _matrix(self.primaries).T, 0)
        if self.linear in _HIGH_DYNAMIC_RANGE:
            brightest = light.max(axis=-1, keepdims=True)
            light *= _rolled_off(brightest) / np.maximum(brightest, 1e-6)
        return np.rint(_linear_to_srgb(light) * 255).astype(np.uint8)


def _srgb_to_linear(value: Array) -> Array:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004 - IEC 61966-2-1


def _linear_to_srgb(light: Array) -> Array:
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)  # noqa: PLR2004


def _pq_to_linear(value: Array) -> Array:
    """BT.2100, table 4."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = value ** (1 / m2)
    light: Array = np.maximum(root - c1, 0) / (c2 - c3 * root)
    return light ** (1 / m1) * (10_000 / _WHITE_NITS)


def _hlg_to_linear(value: Array) -> Array:
    """BT.2100, table 5: scene light, from 0 to 1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(value <= 0.5, value**2 / 3, (np.exp((value - c) / a) + b) / 12)  # noqa: PLR2004


def _as_displayed(scene: Array, primaries: tuple[float, ...]) -> Array:
    """BT.2100, table 5: the scene on a display of 1,000 cd/m2."""
    luminance: Array = scene @ _xyz(primaries)[1]
    return scene * luminance[..., None] ** 0.2 * (1000 / _WHITE_NITS)


def _gamma(exponent: float) -> Callable[[Array], Array]:
    return lambda value: value**exponent


# H.273 gives camera curves for television (1, 6, 14, 15); its displays use that of sRGB.
_CURVES: dict[int, Callable[[Array], Array]] = {
    4: _gamma(2.2),
    5: _gamma(2.8),
    8: _gamma(1.0),
    16: _pq_to_linear,
    18: _hlg_to_linear,
}


_HIGH_DYNAMIC_RANGE = (_pq_to_linear, _hlg_to_linear)


def _rolled_off(light: Array) -> Array:
    """Keep light up to the knee, compress brighter light between the knee and 1."""
    return np.where(light <= _KNEE, light, 1 - (1 - _KNEE) * np.exp(-(light - _KNEE) / (1 - _KNEE)))


def _xyz(primaries: tuple[float, ...]) -> Array:
    """The matrix from linear RGB to CIE XYZ (SMPTE RP 177)."""
    points = np.array(primaries, dtype=np.float64).reshape(4, 2)
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in points]).T
    rgb, white = columns[:, :3], columns[:, 3]
    scaled: Array = rgb * np.linalg.solve(rgb, white)
    return scaled


def _matrix(primaries: tuple[float, ...]) -> Array:
    """Matrix from linear RGB of these primaries to linear sRGB, adapted to its white (Bradford)."""
    if min(primaries[1::2]) <= 0:
        raise ValueError("primaries without light")
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    source, target = _xyz(primaries), _xyz(_BT_709)
    cones = (bradford @ target.sum(axis=1)) / (bradford @ source.sum(axis=1))
    matrix: Array = np.linalg.inv(target) @ np.linalg.inv(bradford) @ (cones[:, None] * bradford) @ source
    if not np.isfinite(matrix).all():
        raise ValueError("primaries do not form a triangle")
    return matrix


def to_srgb(image: Image.Image, color_space: "bytes | CodePoints | None") -> Image.Image:
    """Convert ``image`` (``L``, ``RGB``, ``CMYK``, ``LAB``) to sRGB; returns it unchanged if it is sRGB.

    That is decided by the conversion's effect, never by the profile's name. An unreadable or mismatched
    profile is ignored.
    """
    if color_space is None and image.mode == "LAB":
        color_space = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    try:
        convert = _conversion(image.mode, color_space)
        return image if convert is None or _changes_nothing(convert, image.mode) else convert(image)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


def _conversion(mode: str, color_space: "bytes | CodePoints | None") -> Convert | None:
    if isinstance(color_space, CodePoints):
        return color_space.to_srgb if mode in {"L", "RGB"} else None
    return _profile_conversion(mode, color_space) if color_space else None


def _profile_conversion(mode: str, content: bytes) -> Convert | None:
    profile = ImageCms.ImageCmsProfile(BytesIO(content))
    if profile.profile.xcolor_space.strip() != _PROFILE_SPACES.get(mode):
        return None
    transform = ImageCms.buildTransform(
        profile,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    return lambda image: _grey_if(mode == "L", ImageCms.applyTransform(image, transform))


def _grey_if(is_grey: bool, image: Image.Image | None) -> Image.Image:
    if image is None:
        raise ValueError("not converted")
    return image.convert("L") if is_grey else image


def _changes_nothing(convert: Convert, mode: str) -> bool:
    """Whether no color of a regular grid changes by more than rounding."""
    if mode not in {"L", "RGB"}:
        return False
    grid = [(r, g, b) for r in _SWATCH_STEPS for g in _SWATCH_STEPS for b in _SWATCH_STEPS]
    if mode == "L":
        swatch = Image.frombytes("L", (256, 1), bytes(range(256)))
    else:
        swatch = Image.frombytes("RGB", (len(grid), 1), bytes(level for color in grid for level in color))
    before, after = (np.asarray(image, dtype=np.int16) for image in (swatch, convert(swatch)))
    return int(np.abs(before - after).max()) <= _MAX_LEVEL_DIFFERENCE


def color_space_of(image: Image.Image, content: bytes) -> "bytes | CodePoints | None":
    """The color space that the file declares: an ICC profile, code points, or none."""
    profile: bytes | None = image.info.get("icc_profile")
    match image.format:
        case "PNG":
            return _png_color_space(image.info, content, profile)
        case "HEIF":
            return profile or _nclx_color_space(image.info)
        case "AVIF":
            return profile or _nclx_color_space(_container_info(content))
    return profile


def _container_info(content: bytes) -> dict[Any, Any]:
    """An AVIF's color boxes as libheif reads them; Pillow does not expose them."""
    try:
        return dict(pillow_heif.open_heif(BytesIO(content)).info)
    except Exception:  # noqa: BLE001 - the pixels were decoded, even if another library rejects the boxes
        return {}


def _nclx_color_space(info: dict[Any, Any]) -> CodePoints | None:
    nclx = info.get("nclx_profile")
    return CodePoints.of(nclx["color_primaries"], nclx["transfer_characteristics"]) if nclx else None


def _png_color_space(
    info: dict[Any, Any], content: bytes, profile: bytes | None
) -> "bytes | CodePoints | None":
    code_points = _code_points_chunk(content)
    if code_points is not None:
        return CodePoints.of(*code_points)
    if profile or "srgb" in info or not info.get("gamma"):
        return profile
    white, colors = _D65, _BT_709[:6]
    if chromaticity := info.get("chromaticity"):
        white, colors = chromaticity[:2], chromaticity[2:]
    curve = _srgb_to_linear if abs(info["gamma"] - 1 / 2.2) < _GAMMA_TOLERANCE else _gamma(1 / info["gamma"])
    return CodePoints((*colors, *white), curve)


def _code_points_chunk(content: bytes) -> tuple[int, int] | None:
    """Primaries and transfer of a ``cICP`` chunk (PNG, 11.3.2.6)."""
    for kind, data in png_chunks(content):
        if kind == b"cICP" and len(data) == 4:  # noqa: PLR2004 - also matrix and range
            return data[0], data[1]
        if kind == b"IDAT":
            break
    return None


def png_chunks(content: bytes) -> Iterable[tuple[bytes, memoryview]]:
    """Kind and data of each whole chunk up to the last, ``IEND`` (W3C PNG, 5.3)."""
    offset, kind, view = 8, b"", memoryview(content)
    while kind != b"IEND" and offset + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, offset)
        if offset + 12 + length > len(content):
            return
        yield kind, view[offset + 8 : offset + 8 + length]
        offset += 12 + length
