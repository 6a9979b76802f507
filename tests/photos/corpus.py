"""The corpus: format x color x orientation x damage, and special kinds outside this grid."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from PIL import Image
from PIL.ExifTags import Base

from tests.photos import files
from tests.photos.kinds import KINDS

Transpose = Image.Transpose
Make = Callable[[Image.Image, bytes], bytes]
"""Makes a file from the stored pixels of a scene and the EXIF orientation."""

# How pixels are stored for each orientation, and how to help a decoder that ignores it.
STORED_AS = {
    1: None,
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_90,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_270,
}
_UNDONE = {**STORED_AS, 6: Transpose.ROTATE_270, 8: Transpose.ROTATE_90}


@dataclass(frozen=True, slots=True)
class Case:
    """One file: its properties, and the permitted difference of decoders (mean over all levels)."""

    kind: str
    color: str
    orientation: int
    damage: str
    make: Callable[[], bytes]
    tolerance: float = 2.0

    @property
    def name(self) -> str:
        return f"{self.kind} {self.color} {self.orientation} {self.damage}"

    @property
    def turn(self) -> Transpose | None:
        return _UNDONE[self.orientation] if self.kind == "HEIC" else None


def scene(size: tuple[int, int] = (120, 80)) -> Image.Image:
    """A smooth, colorful scene with four different sides."""
    width, height = size
    across, down = Image.linear_gradient("L").rotate(90).resize(size), Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", (across, down, Image.new("L", size, 90)))
    image.paste((220, 60, 40), (0, 0, width // 3, height // 3))
    return image


def exif_of(orientation: int) -> bytes:
    found = Image.Exif()
    found[Base.Orientation] = orientation
    return found.tobytes()


def _pillow(image_format: str, convert: Callable[[Image.Image], Image.Image] | str, **settings: Any) -> Make:
    def make(image: Image.Image, exif: bytes) -> bytes:
        changed = image.convert(convert) if isinstance(convert, str) else convert(image)
        return files.encoded(changed, image_format, **({"exif": exif} if exif else {}), **settings)

    return make


def _translucent(image: Image.Image) -> Image.Image:
    veiled = image.convert("RGBA")
    veiled.putalpha(Image.linear_gradient("L").resize(image.size))
    return veiled


def _palette(image: Image.Image) -> Image.Image:
    return image.quantize(64)


def _palette_with_holes(image: Image.Image) -> Image.Image:
    return _translucent(image).quantize(64)


_P3 = files.profile("Display P3 Gamut with sRGB Transfer", files.P3_XYZ)
_ADOBE = files.profile("Adobe RGB (1998)", files.ADOBE_XYZ, 2.19921875)
_GREY = files.grey_profile(1.75)
_FINE = {"quality": 95, "subsampling": 0}
_EXACT_HEIC = {"quality": -1, "chroma": 444}
_PROFILES = {"p3": ("RGB", _P3), "adobe": ("RGB", _ADOBE), "grey gamma": ("L", _GREY)}


def _profiled(image_format: str, **settings: Any) -> dict[str, Make]:
    return {
        name: _pillow(image_format, mode, icc_profile=profile, **settings)
        for name, (mode, profile) in _PROFILES.items()
        if mode == "RGB" or image_format in {"JPEG", "PNG", "TIFF"}
    }


COLORS: dict[str, dict[str, Make]] = {
    "JPEG": {
        "rgb": _pillow("JPEG", "RGB", **_FINE),
        "4:2:0": _pillow("JPEG", "RGB", quality=95, subsampling=2),
        "4:2:2": _pillow("JPEG", "RGB", quality=95, subsampling=1),
        "progressive": _pillow("JPEG", "RGB", progressive=True, **_FINE),
        "restarts": _pillow("JPEG", "RGB", restart_marker_rows=1, **_FINE),
        "rgb inside": _pillow("JPEG", "RGB", keep_rgb=True, **_FINE),
        "grey": _pillow("JPEG", "L", quality=95),
        **_profiled("JPEG", **_FINE),
    },
    "PNG": {
        "rgb": _pillow("PNG", "RGB"),
        "grey": _pillow("PNG", "L"),
        "alpha": _pillow("PNG", _translucent),
        "grey alpha": _pillow("PNG", lambda image: _translucent(image).convert("LA")),
        "palette": _pillow("PNG", _palette),
        "palette alpha": _pillow("PNG", _palette_with_holes),
        "1 bit": _pillow("PNG", "1"),
        **_profiled("PNG"),
    },
    "WEBP": {
        "rgb": _pillow("WEBP", "RGB", quality=95),
        "lossless": _pillow("WEBP", "RGB", lossless=True),
        "alpha": _pillow("WEBP", _translucent, quality=95),
        **_profiled("WEBP", quality=98),
    },
    "TIFF": {
        "rgb": _pillow("TIFF", "RGB"),
        "deflate": _pillow("TIFF", "RGB", compression="tiff_adobe_deflate"),
        "lzw": _pillow("TIFF", "RGB", compression="tiff_lzw"),
        "jpeg": _pillow("TIFF", "RGB", compression="jpeg", quality=95),
        "grey": _pillow("TIFF", "L"),
        "alpha": _pillow("TIFF", _translucent),
        "palette": _pillow("TIFF", _palette),
        "fax": _pillow("TIFF", "1", compression="group4"),
        **_profiled("TIFF"),
    },
    "AVIF": {
        "rgb": _pillow("AVIF", "RGB", quality=95, subsampling="4:4:4"),
        "4:2:0": _pillow("AVIF", "RGB", quality=95),
        "alpha": _pillow("AVIF", _translucent, quality=95, subsampling="4:4:4"),
        **_profiled("AVIF", quality=95, subsampling="4:4:4"),
    },
    "HEIC": {
        "rgb": _pillow("HEIF", "RGB", **_EXACT_HEIC),
        "4:2:0": _pillow("HEIF", "RGB", quality=95),
        "grey": _pillow("HEIF", "L", quality=95),
    },
    "GIF": {"palette": _pillow("GIF", _palette), "grey": _pillow("GIF", "L"), "1 bit": _pillow("GIF", "1")},
    "BMP": {
        "rgb": _pillow("BMP", "RGB"),
        "grey": _pillow("BMP", "L"),
        "palette": _pillow("BMP", _palette),
        "1 bit": _pillow("BMP", "1"),
    },
}
_DETAILED_TOLERANCE = 5.0
"""Noise is compressed a second time if the service stores another format than it received."""
_NEVER_TURNED = {"GIF", "BMP"}


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _zeroed(content: bytes) -> bytes:
    return files.zeroed(content, len(content) // 5, min(4096, len(content) // 3))


def _with_an_end(kind: str) -> Callable[[bytes], bytes]:
    ends = {"JPEG": b"\xff\xd9", "PNG": files.chunk(b"IEND", b""), "GIF": b"\0;"}
    return lambda content: _cut(content) + ends.get(kind, content[-64:])


def _without_an_end(kind: str) -> Callable[[bytes], bytes]:
    ends = {"JPEG": 2, "PNG": 12, "GIF": 1}
    return lambda content: content[: -ends.get(kind, 1)]


def _damages(kind: str) -> dict[str, Callable[[bytes], bytes]]:
    return {
        "cut": _cut,
        "cut, with an end": _with_an_end(kind),
        "zeros": _zeroed,
        "last byte missing": lambda content: content[:-1],
        "end missing": _without_an_end(kind),
        "file behind": lambda content: content + b"PK\3\4" + bytes(5000),
        "header only": lambda content: content[:64],
    }


@cache
def _stored(orientation: int) -> Image.Image:
    turn = STORED_AS[orientation]
    return scene() if turn is None else scene().transpose(turn)


@cache
def _detailed() -> Image.Image:
    noise = files.noise((240, 160), 40)
    return Image.blend(scene(noise.size), noise, 0.3)


def _whole() -> Iterator[Case]:
    for kind, colors in COLORS.items():
        for color, make in colors.items():
            for orientation in (1,) if kind in _NEVER_TURNED else STORED_AS:
                yield Case(kind, color, orientation, "none", _making(make, orientation))


def _making(make: Make, orientation: int) -> Callable[[], bytes]:
    return lambda: make(_stored(orientation), b"" if orientation == 1 else exif_of(orientation))


def _damaged() -> Iterator[Case]:
    for kind, colors in COLORS.items():
        for color, make in list(colors.items())[:4]:
            for damage, harm in _damages(kind).items():
                yield Case(kind, color, 1, damage, _corrupting(make, harm), _DETAILED_TOLERANCE)


def _corrupting(make: Make, harm: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    return lambda: harm(make(_detailed(), b""))


def _of_kinds() -> Iterator[Case]:
    for kind, name, make, tolerance in KINDS:
        yield Case(kind, name, 1, "none", _of_scene(make), tolerance)


def _of_scene(make: Callable[[Image.Image], bytes]) -> Callable[[], bytes]:
    return lambda: make(scene())


CASES = (*_whole(), *_damaged(), *_of_kinds())
