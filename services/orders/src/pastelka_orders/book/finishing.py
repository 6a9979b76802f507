"""Post-processing of the typesetter's PDF: boxes, device grey, copies, metadata, merging.

Sources: ISO 32000-1 (PDF 1.7), 14.11.2 for the boxes and 8.6.4.2 for ``DeviceGray``; ISO 19005-2 (PDF/A-2b)
permits it, as the typesetter adds an output intent.
"""

import re
from collections.abc import Sequence
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, cast

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

from pastelka_orders.book.description import BookOptions
from pastelka_orders.book.imposition import TooManySheetsError
from pastelka_orders.book.paper import POINTS, Sheet

CREATOR = "Pastelka"

_PAGE_COUNT = "{http://ns.adobe.com/xap/1.0/t/pg/}NPages"

# How the typesetter sets every color.
_PAINT = re.compile(rb"/(c\d+) (cs|CS) ([\d.]+) ([\d.]+) ([\d.]+) (scn|SCN)\b")
_GRAY = {b"scn": b"g", b"SCN": b"G"}


class DamagedPdfError(Exception):
    """A finished book is not a readable PDF."""

    def __init__(self, file: Path) -> None:
        super().__init__(file.name)
        self.file = file


def finish(content: bytes, target: Path, options: BookOptions, order: Sequence[int]) -> None:
    """Write the PDF ``content`` with its sheets in ``order``, ready for a print shop."""
    with pikepdf.open(BytesIO(content)) as pdf:
        _use_device_gray(pdf)
        sheets = list(pdf.pages)
        for page in sheets:
            _set_boxes(page.obj, options)
        pdf.pages.extend(sheets[index] for index in order)
        del pdf.pages[: len(sheets)]
        _save(pdf, target)


def merge(files: Sequence[Path], target: Path, *, title: str, max_sheets: int) -> int:
    """Merge several PDFs into one; returns its number of sheets.

    Raises ``TooManySheetsError``, ``DamagedPdfError``.
    """
    with _opened(files[0]) as pdf:
        for file in files[1:]:
            with _opened(file) as other:
                if len(pdf.pages) + len(other.pages) > max_sheets:
                    raise TooManySheetsError(f"more than {max_sheets} sheets")
                pdf.pages.extend(other.pages)
        _save(pdf, target, title=title)
        return len(pdf.pages)


def _opened(file: Path) -> Pdf:
    try:
        return pikepdf.open(file)
    except pikepdf.PdfError as error:
        raise DamagedPdfError(file) from error


def _save(pdf: Pdf, target: Path, *, title: str | None = None) -> None:
    with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
        metadata["xmp:CreatorTool"] = CREATOR
        metadata[_PAGE_COUNT] = str(len(pdf.pages))
        if title is not None:
            metadata["dc:title"] = title
            metadata["pdf:Keywords"] = title
    with target.open("wb") as file:
        output = _Output(file)
        pdf.save(
            cast("BinaryIO", output),
            min_version="1.7",
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            deterministic_id=True,
        )
        output.check()


class _Output(RawIOBase):
    """A file to save to: qpdf ends the process if a write raises, so errors are kept until it has ended."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._error: OSError | None = None

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """Write ``data``, or drop it after an error."""
        if self._error is None:
            try:
                self._file.write(data)
            except OSError as error:
                self._error = error
        return len(data)

    def check(self) -> None:
        """Raise the first error of a write."""
        if self._error is not None:
            raise self._error


def _set_boxes(page: Object, options: BookOptions) -> None:
    """Set trim box, bleed box and the media box around both, with space for marks."""
    sheet = Sheet(options)
    width, height = sheet.media
    for name, inset in (
        (Name.MediaBox, 0.0),
        (Name.CropBox, 0.0),
        (Name.BleedBox, sheet.edge - options.bleed_mm),
        (Name.TrimBox, sheet.edge),
    ):
        corners = (inset, inset, width - inset, height - inset)
        page[name] = Array([round(corner * POINTS, 4) for corner in corners])


def _use_device_gray(pdf: Pdf) -> None:
    """Convert profiled grey and colors to ``DeviceGray``, so that black uses black ink only."""
    for found in pdf.objects:
        if not isinstance(found, Dictionary | Stream):
            continue
        if _is_gray(found.get(Name.ColorSpace)):
            found.ColorSpace = Name.DeviceGray
        resources = found.get(Name.Resources)
        if isinstance(resources, Dictionary):
            _use_gray_spaces(resources)
            for content in _contents(found):
                _paint_gray(content)


def _use_gray_spaces(resources: Dictionary) -> None:
    spaces = resources.get(Name.ColorSpace)
    if isinstance(spaces, Dictionary):
        for name in list(spaces.keys()):
            if _is_gray(spaces[name]):
                spaces[name] = Name.DeviceGray


def _is_gray(space: Object | None) -> bool:
    if not isinstance(space, Array) or space[0] != Name.ICCBased:
        return False
    return bool(space[1].get(Name.N) == 1)


def _contents(found: Dictionary | Stream) -> list[Stream]:
    if isinstance(found, Stream):
        return [found] if found.get(Name.Subtype) == Name.Form else []
    contents = found.get(Name.Contents)
    return [contents] if isinstance(contents, Stream) else []


def _paint_gray(content: Stream) -> None:
    """Replace colors by their luma (ITU-R BT.709)."""
    before = content.read_bytes()
    after, count = _PAINT.subn(_as_gray, before)
    if count:
        content.write(after)


def _as_gray(color: "re.Match[bytes]") -> bytes:
    red, green, blue = (float(color[place]) for place in (3, 4, 5))
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return f"{luma:.4g} ".encode() + _GRAY[color[6]]
