"""``python -m pastelka_orders.book.composer FOLDER``: composes a book, with resource limits.

``FOLDER`` holds ``job.json`` (:class:`ComposeJob`); ``book.pdf`` and ``sheet_<n>.webp`` are written into it,
and the outcome, :class:`ComposedBook`, :class:`BookRefusal` or :class:`BookFault`, goes to standard output.
Typesetter and decoders read untrusted files: in this process, exhausting memory or time fails only the book.
"""

import json
import os
import resource
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pikepdf
import typst
from PIL import Image
from pydantic import BaseModel

from pastelka_orders.book.description import (
    BookFault,
    BookOptions,
    BookRefusal,
    ComposedBook,
    OrderBooks,
    Picture,
)
from pastelka_orders.book.finishing import DamagedPdfError, finish, merge
from pastelka_orders.book.imposition import (
    MAX_SHEETS,
    Imposition,
    TooManySheetsError,
    impose,
    impose_separator,
)
from pastelka_orders.book.paper import Sheet
from pastelka_orders.book.text_fit import FALLBACK, FONTS, printable_text

JOB = "job.json"
PDF = "book.pdf"
_SHEETS = "sheets.json"
_TEMPLATE = "template.typ"
_PREVIEW_PIXELS = 560
"""Longer side of a preview."""
_PHOTO_PIXELS = 1200
"""Longer side of a photo on the cover or the last page."""
# Modes that the typesetter writes as grey pixels.
_KEPT_MODES = frozenset({"1", "L", "I;16"})
_UNREADABLE = (OSError, SyntaxError, ValueError)

# Pages are as large as photos may be.
Image.MAX_IMAGE_PIXELS = None


class FinishedBook(BaseModel):
    """The PDF of an order, and the data of its separator sheet."""

    books: OrderBooks
    options: BookOptions
    file: Path


class ComposeJob(BaseModel):
    """Compose ``books`` with ``options``, with a picture of each sheet if ``has_previews``.

    With ``parts``, make one PDF of these instead, each after its separator sheet.
    """

    books: OrderBooks
    options: BookOptions
    parts: tuple[FinishedBook, ...] = ()
    title: str
    has_previews: bool = False
    created_at: datetime
    memory_bytes: int
    cpu_seconds: int


class UnprintableError(Exception):
    """A page or a finished book is unreadable; the message is a sentence that names it."""


def compose(job: ComposeJob, folder: Path) -> ComposedBook:
    """Write the PDF and the previews. Raises ``UnprintableError``, ``TooManySheetsError``."""
    books = _copy_files(job.books, job.options, folder)
    imposition = impose(books, job.options)
    _write_sheets(books, job.options, job.title, imposition, folder)
    try:
        compiler = _compiler(folder)
        content = _pdf(compiler, job)
    except typst.TypstError as error:
        label = _find_unreadable(books, folder)
        raise _damaged(label) if label else UnprintableError(f"The book cannot be set: {error}") from error
    finish(content, folder / PDF, job.options, imposition.order)
    previews = _write_previews(compiler, job, folder) if job.has_previews else 0
    return ComposedBook(sheets=len(imposition.order), previews=previews)


def join(job: ComposeJob, folder: Path) -> ComposedBook:
    """Merge finished PDFs into one. Raises ``TooManySheetsError``, ``UnprintableError``."""
    files = []
    for number, part in enumerate(job.parts):
        if not part.books.has_separator:
            separator = impose_separator(part.books, part.options)
            _write_sheets(part.books, part.options, job.title, separator, folder)
            content = _pdf(_compiler(folder), job)
            files.append(folder / f"separator_{number}.pdf")
            finish(content, files[-1], part.options, separator.order)
        files.append(part.file)
    try:
        sheets = merge(files, folder / PDF, title=job.title, max_sheets=MAX_SHEETS)
    except DamagedPdfError as error:
        names = {part.file: part.books.order_number for part in job.parts}
        raise UnprintableError(
            f"The book of order {names[error.file]} is damaged; compose it again."
        ) from error
    return ComposedBook(sheets=sheets, previews=0)


def _compiler(folder: Path) -> typst.Compiler:
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])
    return typst.Compiler(str(folder / _TEMPLATE), root=str(folder), font_paths=fonts)


def _pdf(compiler: typst.Compiler, job: ComposeJob) -> bytes:
    return _single(
        compiler.compile(
            format="pdf", pdf_standards=["a-2b"], pdf_tags=False, timestamp=int(job.created_at.timestamp())
        )
    )


def _single(document: bytes | list[bytes] | None) -> bytes:
    """The PDF; only picture formats yield several documents."""
    if not isinstance(document, bytes):
        raise TypeError("a PDF is one document")
    return document


def _write_sheets(
    books: OrderBooks, options: BookOptions, title: str, imposition: Imposition, folder: Path
) -> None:
    """Write the template and its data."""
    sheet = Sheet(options)
    width, height = sheet.media
    document = {
        "title": printable_text(title)[0],
        "keywords": [printable_text(books.order_number)[0]],
        "fonts": list(dict.fromkeys([options.font, FALLBACK])),
        "width": width,
        "height": height,
        "edge": sheet.edge,
        "sheets": [[element.as_json() for element in elements] for elements in imposition.sheets],
    }
    (folder / _SHEETS).write_text(json.dumps(document), encoding="utf-8")
    shutil.copyfile(Path(__file__).with_name(_TEMPLATE), folder / _TEMPLATE)


def _copy_files(order: OrderBooks, options: BookOptions, folder: Path) -> OrderBooks:
    """Copy the books' files into ``folder``, the only place that the typesetter can read."""
    books = [
        book.model_copy(
            update={
                "pictures": tuple(
                    Picture(
                        label=picture.label,
                        art=_copy_art(picture, folder / f"art_{number}_{place}"),
                        photo=_copy_photo(picture, options, folder / f"photo_{number}_{place}.jpg"),
                    )
                    for place, picture in enumerate(book.pictures)
                )
            }
        )
        for number, book in enumerate(order.books)
    ]
    return order.model_copy(update={"books": tuple(books)})


def _copy_art(picture: Picture, target: Path) -> Path:
    """Copy vectors and grey pixels; convert other pixels to grey on white."""
    target = target.with_suffix(picture.art.suffix)
    if picture.art.suffix == ".svg":
        target.symlink_to(picture.art.resolve())
        return Path(target.name)
    with _opened(picture.art, picture.label) as image:
        is_kept = image.mode in _KEPT_MODES and "transparency" not in image.info
        gray = None if is_kept else _on_white(image)
    if gray is None:
        target.symlink_to(picture.art.resolve())
    else:
        gray.save(target, "PNG", compress_level=1)
    return Path(target.name)


@contextmanager
def _opened(file: Path, label: str) -> Iterator[Image.Image]:
    """Open a picture to decode it. An error of the disk is not reported as a damaged page.

    The block must not write files. Raises ``UnprintableError``, ``OSError``.
    """
    try:
        with Image.open(file) as image:
            yield image
    except _UNREADABLE as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _damaged(label) from error


def _damaged(label: str) -> UnprintableError:
    return UnprintableError(f"Page {label} is damaged and cannot be printed; generate it again.")


def _on_white(image: Image.Image) -> Image.Image:
    with_alpha = image.convert("LA")
    white = Image.new("L", image.size, 255)
    white.paste(with_alpha.getchannel("L"), mask=with_alpha.getchannel("A"))
    return white


def _copy_photo(picture: Picture, options: BookOptions, target: Path) -> Path | None:
    """Write a small copy, if the book shows photos."""
    if picture.photo is None or not (options.has_cover_photo or options.has_photo_page):
        return None
    with _opened(picture.photo, picture.label) as image:
        image.draft("RGB", (_PHOTO_PIXELS, _PHOTO_PIXELS))
        small = image.convert("RGB")
        small.thumbnail((_PHOTO_PIXELS, _PHOTO_PIXELS))
    small.save(target, "JPEG", quality=88)
    return Path(target.name)


def _find_unreadable(order: OrderBooks, folder: Path) -> str | None:
    """Label of the first picture that the typesetter cannot read."""
    for book in order.books:
        for picture in book.pictures:
            (folder / picture.art).read_bytes()  # raises if the disk fails
            source = f'#image("{picture.art.name}")'.encode()
            try:
                typst.Compiler(root=str(folder)).compile(
                    source, format="pdf", pdf_standards=["a-2b"], pdf_tags=False
                )
            except typst.TypstError:
                return picture.label
    return None


def _write_previews(compiler: typst.Compiler, job: ComposeJob, folder: Path) -> int:
    """One small picture of each sheet, without its copies."""
    longer = max(Sheet(job.options).media)
    rendered = compiler.compile(format="png", ppi=_PREVIEW_PIXELS / longer * 25.4)
    sheets = rendered if isinstance(rendered, list) else [_single(rendered)]
    for number, content in enumerate(sheets, start=1):
        with Image.open(BytesIO(content)) as image:
            image.convert("RGB").save(folder / preview_name(number), "WEBP", quality=80, method=2)
    return len(sheets)


def preview_name(number: int) -> str:
    """Name of the preview of a sheet, from 1."""
    return f"sheet_{number}.webp"


def _outcome(job: ComposeJob, folder: Path) -> ComposedBook | BookRefusal | BookFault:
    try:
        return join(job, folder) if job.parts else compose(job, folder)
    except UnprintableError as error:
        return BookRefusal(code="not_printable", message=str(error))
    except TooManySheetsError:
        return BookRefusal(
            code="book_too_large",
            message=f"The book would have more than {MAX_SHEETS} sheets; print copies as a note instead.",
        )
    except pikepdf.PdfError as error:
        return BookRefusal(
            code="not_printable", message=f"A finished book is damaged ({error}); compose it again."
        )
    except MemoryError:
        return BookRefusal(code="book_too_large", message="Composing the book exceeds the memory limit.")
    except OSError as error:
        return BookFault(error_number=error.errno or 0, reason=error.strerror or str(error))


def main() -> None:
    """Compose the book in the folder given as the only argument."""
    folder = Path(sys.argv[1])
    job = ComposeJob.model_validate_json((folder / JOB).read_bytes())
    _limit(job)
    answers = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    outcome = _outcome(job, folder)
    os.write(answers, outcome.model_dump_json().encode())


def _limit(job: ComposeJob) -> None:
    """Limit address space and CPU time; exceeding the latter ends the process (SIGXCPU)."""
    resource.setrlimit(resource.RLIMIT_AS, (job.memory_bytes, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CPU, (job.cpu_seconds, job.cpu_seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
