"""Special photos: several pictures in one file, rare color models, unusual structure."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageChops, ImageOps

from tests.photos import files

Kind = tuple[str, str, Callable[[Image.Image], bytes], float]
"""Format, name, function that makes it of the scene, permitted difference of decoders."""


def _others(scene: Image.Image) -> list[Image.Image]:
    return [ImageOps.invert(scene), scene.transpose(Image.Transpose.ROTATE_180)]


def _animated(image_format: str, **settings: object) -> Callable[[Image.Image], bytes]:
    return lambda scene: files.encoded(
        scene, image_format, save_all=True, append_images=_others(scene), duration=100, **settings
    )


def _apng_with_a_still(scene: Image.Image) -> bytes:
    return files.encoded(
        scene, "PNG", save_all=True, append_images=_others(scene), default_image=True, duration=50
    )


def _small_first_tiff(scene: Image.Image) -> bytes:
    """A preview, marked as such, followed by the photo (TIFF 6.0, NewSubfileType)."""
    file = BytesIO()
    with Image.new("RGB", (30, 20), "red") as small:
        small.encoderinfo = {}
        small.save(file, "TIFF", save_all=True, append_images=[scene])
    content = bytearray(file.getvalue())
    return bytes(_with_tag(content))


def _with_tag(content: bytearray) -> bytearray:
    """The first directory is marked as a reduced picture: tag 254 replaces another."""
    (at,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, at)
    entries = [bytes(content[at + 2 + 12 * n : at + 14 + 12 * n]) for n in range(count)]
    spare = next(
        n for n, entry in enumerate(entries) if struct.unpack_from("<H", entry)[0] in {284, 305, 296}
    )
    entries[spare] = struct.pack("<HHII", 254, 4, 1, 1)
    content[at + 2 : at + 2 + 12 * count] = b"".join(
        sorted(entries, key=lambda e: struct.unpack_from("<H", e))
    )
    return content


def _small_first_heic(scene: Image.Image) -> bytes:
    small = Image.new("RGB", (64, 64), "red")
    return files.encoded(
        small, "HEIF", save_all=True, append_images=[scene], primary_index=1, quality=-1, chroma=444
    )


def _gain_map(scene: Image.Image) -> bytes:
    """Ultra HDR: a grey gain map is stored after the photo."""
    return files.encoded(
        scene,
        "MPO",
        save_all=True,
        append_images=[scene.convert("L").resize((60, 40))],
        quality=95,
        subsampling=0,
    )


def _motion_photo(scene: Image.Image) -> bytes:
    video = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(20_000)
    return files.encoded(scene, "JPEG", quality=95, subsampling=0, xmp=files.XMP_TURNED) + video


def _cmyk_jpeg(transform: int | None, *, is_inverted: bool) -> Callable[[Image.Image], bytes]:
    """Pillow inverts, as Adobe does, and writes a marker with transform 0."""

    def make(scene: Image.Image) -> bytes:
        image = scene.convert("CMYK")
        content = files.encoded(image if is_inverted else ImageChops.invert(image), "JPEG", quality=98)
        content = files.without_segments(content, 0xEE)
        if transform is None:
            return content
        return files.with_segment(content, 0xEE, b"Adobe\0\x64\0\0\0\0" + bytes((transform,)))

    return make


def arithmetic_jpeg(scene: Image.Image) -> bytes:
    """A few arithmetically coded bytes (SOF9), of which all decoders make the same picture."""
    content = files.encoded(scene.resize((64, 64)), "JPEG", subsampling=0)
    kept = [
        (0xC9 if marker == 0xC0 else marker, data)
        for marker, data in files.segments(content)
        if marker != 0xC4
    ]
    start = content.index(b"\xff\xda")
    head = b"".join(files.segment(*one) for one in kept)
    return content[:2] + head + content[start : start + 14] + bytes(8) + b"\xff\xd9"


def _tiff(
    photometric: int, mode: str, extra: dict[int, tuple[int, ...]] | None = None
) -> Callable[[Image.Image], bytes]:
    def make(scene: Image.Image) -> bytes:
        image = scene.convert(mode)
        return files.tiff(
            image.size,
            image.tobytes(),
            photometric=photometric,
            bits=(8,) * len(image.getbands()),
            extra=extra,
        )

    return make


def _premultiplied(scene: Image.Image) -> bytes:
    veiled = scene.convert("RGBA")
    veiled.putalpha(Image.linear_gradient("L").resize(scene.size).point(lambda level: max(level, 40)))
    raw = veiled.convert("RGBa").tobytes()
    return files.tiff(scene.size, raw, photometric=2, bits=(8, 8, 8, 8), extra={338: (1,)})


def _wide(scene: Image.Image, bands: str) -> list[bytes]:
    image = scene.convert(bands)
    levels = image.tobytes()
    step = image.width * len(image.getbands())
    return [
        b"".join(struct.pack(">H", level * 257) for level in levels[at : at + step])
        for at in range(0, len(levels), step)
    ]


def _sixteen_bits(kind: int, mode: str, *, is_interlaced: bool = False) -> Callable[[Image.Image], bytes]:
    return lambda scene: files.png(
        scene.size, _wide(scene, mode), kind=kind, depth=16, is_interlaced=is_interlaced
    )


def _sixteen_bit_tiff(photometric: int, mode: str, *, big_endian: bool) -> Callable[[Image.Image], bytes]:
    def make(scene: Image.Image) -> bytes:
        image = scene.convert(mode)
        levels = image.tobytes()
        if not photometric:
            levels = bytes(255 - level for level in levels)
        order = ">" if big_endian else "<"
        pixels = b"".join(struct.pack(f"{order}H", level * 257) for level in levels)
        bits = (16,) * len(image.getbands())
        return files.tiff(image.size, pixels, photometric=photometric, bits=bits, big_endian=big_endian)

    return make


def _odd_order(scene: Image.Image) -> bytes:
    """Text chunks before and between, a time chunk at the end, pixel data in hundreds of chunks."""
    content = files.with_chunks(
        files.encoded(scene, "PNG"),
        (b"tEXt", b"a\0b"),
        (b"zTXt", b"k\0\0" + zlib.compress(b"x" * 99)),
        (b"prVt", b"1"),
    )
    parts = []
    for kind, data in files.chunks(content):
        if kind == b"IDAT":
            pieces = [data[at : at + 7] for at in range(0, len(data), 7)]
            parts += [(b"IDAT", piece) for piece in (*pieces[:3], b"", *pieces[3:])]
        else:
            parts.append((kind, data))
    parts.insert(-1, (b"tIME", b"\x07\xea\1\1\1\1\1"))
    return files.PNG_START + b"".join(files.chunk(*part) for part in parts)


def _partial_gif(scene: Image.Image) -> bytes:
    """A first frame smaller than the screen."""
    small = scene.quantize(64)
    content = bytearray(files.encoded(small, "GIF"))
    content[6:10] = struct.pack("<HH", scene.width + 20, scene.height + 10)
    return bytes(content)


def _bmp(header: int, alpha: int | None) -> Callable[[Image.Image], bytes]:
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    return lambda scene: files.bmp(
        scene, header=header, masks=masks if header > 52 else masks[:3], alpha=alpha
    )


def _top_down_bmp(scene: Image.Image) -> bytes:
    content = bytearray(files.encoded(scene.transpose(Image.Transpose.FLIP_TOP_BOTTOM), "BMP"))
    content[22:26] = struct.pack("<i", -scene.height)
    return bytes(content)


def _code_points(image_format: str, primaries: int, transfer: int) -> Callable[[Image.Image], bytes]:
    settings = (
        {"quality": -1, "chroma": 444} if image_format == "HEIF" else {"quality": 95, "subsampling": "4:4:4"}
    )
    if image_format == "PNG":
        return lambda scene: files.with_chunks(
            files.encoded(scene, "PNG"), (b"cICP", bytes((primaries, transfer, 0, 1)))
        )
    return lambda scene: files.with_code_points(
        files.encoded(scene, image_format, **settings), primaries, transfer
    )


# Without a profile CMYK inks are undefined: the service subtracts them from white, libvips assumes a press.
KINDS: tuple[Kind, ...] = (
    ("GIF", "animated", _animated("GIF"), 2),
    ("WEBP", "animated", _animated("WEBP", lossless=True), 2),
    ("PNG", "animated", _animated("PNG"), 2),
    ("PNG", "animated, with a still", _apng_with_a_still, 2),
    ("AVIF", "sequence", _animated("AVIF", quality=95, subsampling="4:4:4"), 2),
    ("TIFF", "three pages", _animated("TIFF"), 2),
    ("TIFF", "preview first", _small_first_tiff, 2),
    ("HEIC", "preview first", _small_first_heic, 2),
    (
        "HEIC",
        "grid",
        lambda scene: files.encoded(scene.resize((240, 160)), "HEIF", tile_size=64, quality=-1, chroma=444),
        2,
    ),
    (
        "HEIC",
        "thumbnail",
        lambda scene: files.encoded(scene, "HEIF", thumbnails=[32], quality=-1, chroma=444),
        2,
    ),
    ("JPEG", "gain map", _gain_map, 2),
    ("JPEG", "motion photo", _motion_photo, 2),
    ("JPEG", "cmyk", _cmyk_jpeg(None, is_inverted=False), 40),
    ("JPEG", "cmyk adobe 0", _cmyk_jpeg(0, is_inverted=True), 40),
    ("JPEG", "ycck adobe 2", _cmyk_jpeg(2, is_inverted=True), 60),
    (
        "JPEG",
        "table numbers",
        lambda scene: files.with_table_numbers(
            files.encoded(scene, "JPEG", quality=95, subsampling=0), {0: 2, 1: 3}
        ),
        2,
    ),
    ("JPEG", "end missing", lambda scene: files.encoded(scene, "JPEG", quality=95, subsampling=0)[:-2], 2),
    ("JPEG", "arithmetic", arithmetic_jpeg, 2),
    ("TIFF", "cmyk", _tiff(5, "CMYK"), 40),
    ("TIFF", "lab", _tiff(8, "LAB"), 3),
    (
        "TIFF",
        "white is zero",
        lambda scene: files.tiff(
            scene.size, ImageOps.invert(scene.convert("L")).tobytes(), photometric=0, bits=(8,)
        ),
        2,
    ),
    ("TIFF", "premultiplied", _premultiplied, 2),
    *(
        (
            "TIFF",
            f"16 bits, photometric {photometric}, {'big' if big_endian else 'little'}",
            _sixteen_bit_tiff(photometric, mode, big_endian=big_endian),
            2.0,
        )
        for photometric, mode in ((0, "L"), (1, "L"), (2, "RGB"))
        for big_endian in (False, True)
    ),
    ("PNG", "16 bits", _sixteen_bits(2, "RGB"), 2),
    ("PNG", "16 bits grey", _sixteen_bits(0, "L"), 2),
    ("PNG", "16 bits alpha", _sixteen_bits(6, "RGBA"), 2),
    ("PNG", "16 bits interlaced", _sixteen_bits(2, "RGB", is_interlaced=True), 2),
    ("PNG", "16 bits grey alpha interlaced", _sixteen_bits(4, "LA", is_interlaced=True), 2),
    ("PNG", "odd order", _odd_order, 2),
    ("PNG", "transparent color", lambda scene: files.encoded(scene, "PNG", transparency=(220, 60, 40)), 2),
    ("GIF", "small frame", _partial_gif, 2),
    ("BMP", "header 56, alpha zero", _bmp(56, 0), 2),
    ("BMP", "header 124, alpha zero", _bmp(124, 0), 2),
    ("BMP", "header 124, opaque", _bmp(124, 255), 2),
    ("BMP", "top down", _top_down_bmp, 2),
    *(
        (kind, f"code points {primaries}/{transfer}", _code_points(image_format, primaries, transfer), 2.0)
        for kind, image_format in (("PNG", "PNG"), ("AVIF", "AVIF"), ("HEIC", "HEIF"))
        for primaries, transfer in ((1, 13), (12, 13), (9, 16), (9, 18))
    ),
)
