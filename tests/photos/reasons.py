"""Known reasons for disagreements of the two decoders: any other disagreement is a finding."""

from typing import NamedTuple

from tests.photos.corpus import Case


class _Rule(NamedTuple):
    kinds: str
    color: str
    damages: str
    reason: str

    def fits(self, case: Case) -> bool:
        return (
            case.kind in self.kinds.split()
            and case.color.startswith(self.color)
            and case.damage in self.damages.split("/")
        )


_RULES = (
    _Rule(
        "JPEG", "end missing", "none", "all pixels are present; libvips treats the missing end as an error"
    ),
    _Rule(
        "JPEG",
        "",
        "last byte missing/end missing",
        "all pixels are present; libvips treats the missing end as an error",
    ),
    _Rule("JPEG", "", "zeros", "libvips stops reading at the last row and ignores trailing data"),
    _Rule(
        "AVIF",
        "",
        "zeros",
        "known gap: Pillow's dav1d conceals lost data; libvips' aom does not",
    ),
    _Rule("AVIF", "sequence", "none", "libvips' wheel does not read sequences"),
    _Rule("BMP", "1 bit", "last byte missing/end missing", "the byte is padding; FFmpeg returns nothing"),
    _Rule("TIFF", "preview first", "none", "libvips returns the preview"),
    _Rule("HEIC", "grid", "none", "FFmpeg returns a tile"),
    _Rule("TIFF", "lab", "none", "libvips does not read Lab of 8 bits"),
    _Rule(
        "GIF",
        "small frame",
        "none",
        "Pillow fills the screen with the background color, libvips leaves it transparent",
    ),
    _Rule(
        "PNG AVIF HEIC",
        "code points",
        "none",
        "the other decoder ignores code points; values: test_colors.py",
    ),
)


def reason_for(case: Case) -> str | None:
    """Known reason for a disagreement about ``case``; ``None`` if there is none."""
    return next((rule.reason for rule in _RULES if rule.fits(case)), None)
