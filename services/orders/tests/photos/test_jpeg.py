"""JPEG as it is really written, cut, patched and abused."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import Base

from pastelka_orders.photos.errors import PhotoRefusedError
from tests.photos import files
from tests.photos.kinds import arithmetic_jpeg

KINDS = {
    "baseline": {},
    "progressive": {"progressive": True},
    "optimized": {"optimize": True},
    "restarts": {"restart_marker_rows": 1},
}


def encoded(**settings) -> bytes:
    return files.encoded(files.noise(deviation=25), "JPEG", **{"quality": 85, **settings})


def opened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def difference(first: Image.Image, second: Image.Image) -> float:
    """The mean of all levels."""
    one, other = (np.asarray(image.convert("RGB"), dtype=np.int16) for image in (first, second))
    return float(np.abs(one - other).mean())


async def refused(intake, content: bytes) -> PhotoRefusedError:
    with pytest.raises(PhotoRefusedError) as caught:
        await intake.normalise(content, name="a.jpg")
    return caught.value


def exif(orientation: int) -> bytes:
    found = Image.Exif()
    found[Base.Orientation] = orientation
    return found.tobytes()


async def test_unusual_table_numbers_are_kept_in_a_rotated_photo(intake):
    content = files.with_table_numbers(encoded(exif=exif(6)), {0: 2, 1: 3})
    photo = await intake.normalise(content, name="a")
    image = opened(photo.content)
    assert image.size == (240, 320)
    upright = opened(content).transpose(Image.Transpose.ROTATE_270)
    assert difference(image, upright) <= 4  # compressed once more, with the same tables
    assert [list(table) for table in image.quantization.values()] == [
        list(opened(content).quantization[number]) for number in (2, 3)
    ]


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_grey_photo_with_an_unusual_table_number_is_read(orientation, number, intake):
    grey = files.encoded(files.noise().convert("L"), "JPEG", quality=85, exif=exif(orientation))
    content = files.with_table_numbers(grey, {0: number})
    image = opened((await intake.normalise(content, name="a")).content)
    assert image.mode == "L"
    assert image.size == ((320, 240) if orientation == 1 else (240, 320))


@pytest.mark.parametrize("tables", [{0: 1}, {1: 0}])
async def test_a_rotated_photo_with_one_table_for_all_components_is_read(tables, intake):
    """Table 0 and 1 are the same one: what the other was for is not there."""
    content = encoded(exif=exif(8), qtables=[list(range(1, 65)), list(range(1, 65))])
    image = opened((await intake.normalise(files.with_table_numbers(content, tables), name="a")).content)
    assert image.size == (240, 320)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
async def test_the_end_marker_may_be_missing(kind, mode, intake):
    content = files.encoded(files.noise().convert(mode), "JPEG", **KINDS[kind])
    for cut in (content[:-2], content[:-1]):
        photo = await intake.normalise(cut, name="a")
        assert photo.content == content


@pytest.mark.parametrize("kind", KINDS)
async def test_a_half_photo_with_an_end_marker_is_refused(kind, intake):
    error = await refused(intake, files.half_with_an_end(encoded(**KINDS[kind])))
    assert error.code == "photo_truncated"
    assert "missing" in error.reason


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
async def test_a_zeroed_range_is_refused_as_truncated(kind, mode, intake):
    content = files.encoded(files.noise().convert(mode), "JPEG", quality=85, **KINDS[kind])
    error = await refused(intake, files.zeroed(content, content.index(b"\xff\xda")))
    assert error.code == "photo_truncated"


@pytest.mark.parametrize("kept", [1, 3, 7])
async def test_missing_progressive_scans_are_refused_as_truncated(kept, intake):
    """A progressive JPEG that ends cleanly between two scans is a blurred or colorless photo."""
    content = encoded(progressive=True)
    error = await refused(intake, content[: files.scans(content)[kept]] + b"\xff\xd9")
    assert error.code == "photo_truncated"


async def test_plain_areas_are_not_mistaken_for_missing_data(intake):
    """With tables of its own a plain picture is coded as zeros, and may end with them."""
    for color in ("white", "black", (200, 10, 10)):
        content = files.encoded(files.plain(color, size=(2000, 1500)), "JPEG", optimize=True)
        assert (await intake.normalise(content, name="a")).width == 2000


@pytest.mark.parametrize("left", [b"\0", b"\0" * 40, b"\0" * 5000, b"\xff" * 7])
async def test_a_camera_may_pad_its_pixels(left, intake):
    content = encoded()
    photo = await intake.normalise(content[:-2] + left + b"\xff\xd9", name="a")
    assert difference(opened(photo.content), opened(content)) <= 4
    assert bytes(40) not in photo.content


async def test_invalid_headers_of_old_cameras_are_accepted(intake):
    """Baseline scans whose range of coefficients is 0 to 0, and an unknown version of JFIF."""
    content = bytearray(encoded())
    scan = content.index(b"\xff\xda")
    assert content[scan + 11 : scan + 14] == b"\0\x3f\0"
    content[scan + 12] = 0
    content[content.index(b"JFIF\0") + 5] = 9
    assert (await intake.normalise(bytes(content), name="a")).width == 320


async def test_data_after_the_photo_is_removed_and_the_photo_unchanged(intake):
    """A motion photo: its video comes behind the end marker."""
    content = encoded()
    video = b"\0\0\0\x18ftypmp42" + bytes(5000) + content
    assert (await intake.normalise(content + video, name="a")).content == content


async def test_a_photo_of_three_thousand_scans_is_refused(intake):
    content = files.with_scans(files.encoded(Image.new("L", (400, 300), 128), "JPEG", progressive=True), 3000)
    assert len(content) < 250_000
    error = await refused(intake, content)
    assert error.code == "photo_too_complex"


async def test_a_photo_with_many_scans_is_reencoded(intake):
    content = files.with_scans(encoded(progressive=True), 30)
    photo = await intake.normalise(content, name="a")
    assert len(files.scans(photo.content)) == 1
    assert difference(opened(photo.content), opened(content)) <= 4


@pytest.mark.parametrize("count", [1, 60])
@pytest.mark.parametrize("marker", [0xDB, 0xE9, 0xFE, 0xED, 0xEE])
async def test_segments_with_hidden_data_are_removed(marker, count, intake):
    content, secret = encoded(), b"s3cr3t!!"
    for _ in range(count):
        content = files.with_segment(content, marker, b"\3" + secret * 8 + (b"\3" + secret * 8) * 40)
    assert secret not in (await intake.normalise(content, name="a")).content


async def test_a_photo_of_108_megapixels_is_scaled_while_it_is_decoded(intake):
    content = files.encoded(Image.new("RGB", (12_000, 9_000), (200, 60, 50)), "JPEG")
    photo = await intake.normalise(content, name="a")
    assert (photo.width, photo.height) == (5773, 4330)
    assert opened(photo.content).getpixel((3000, 2000)) == pytest.approx((200, 60, 50), abs=2)


async def test_more_than_250_megapixels_are_refused(intake):
    content = bytearray(files.encoded(Image.new("L", (640, 640)), "JPEG"))
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = (16_000).to_bytes(2) * 2
    error = await refused(intake, bytes(content))
    assert error.code == "photo_too_many_pixels"
    assert "at most 250 megapixels" in error.reason


async def test_an_arithmetic_coded_photo_is_reencoded(intake):
    """Browsers do not read it."""
    content = arithmetic_jpeg(files.corners())
    photo = await intake.normalise(content, name="a")
    assert b"\xff\xc9" in content
    assert b"\xff\xc9" not in photo.content[: photo.content.index(b"\xff\xda")]
    assert difference(opened(photo.content), opened(content)) <= 4
