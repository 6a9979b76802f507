"""The second decoder: libvips, and FFmpeg for HEIC and BMP, which libvips' wheel lacks.

Neither shares code with the service, except for libjpeg-turbo, libpng, libwebp and libtiff in versions of
their own. Both return upright sRGB pixels on white.
"""

from io import BytesIO

import av
import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.int16]
"""Height, width, red, green and blue; levels from 0 to 255."""


class UnreadableError(Exception):
    """The second decoder cannot read the file."""


def pixels(content: bytes, kind: str, turn: Image.Transpose | None = None) -> Pixels:
    """Decode a file; ``turn`` is the orientation that FFmpeg leaves to its caller."""
    try:
        if kind in {"HEIC", "BMP"}:
            return _by_ffmpeg(content, turn)
        return _by_vips(content)
    except (av.FFmpegError, pyvips.Error, StopIteration, ValueError) as error:
        raise UnreadableError(str(error) or type(error).__name__) from error


def _by_ffmpeg(content: bytes, turn: Image.Transpose | None) -> Pixels:
    with av.open(BytesIO(content)) as container:
        stream = container.streams.best("video")
        if stream is None:
            raise UnreadableError("no picture")
        frame = next(container.decode(stream))
        if frame.is_corrupt:
            raise UnreadableError("corrupt")
        image = Image.fromarray(frame.to_ndarray(format="rgba"))
    page = Image.new("RGBA", image.size, "white")
    page.alpha_composite(image)
    flat = page.convert("RGB")
    return np.asarray(flat if turn is None else flat.transpose(turn), dtype=np.int16)


def _by_vips(content: bytes) -> Pixels:
    image = pyvips.Image.new_from_buffer(content, "", fail_on="warning").autorot()
    if "icc-profile-data" in image.get_fields():
        image = image.icc_transform("srgb", embedded=True, intent="relative", black_point_compensation=True)
    image = image.colourspace("srgb")
    if image.hasalpha():
        image = image.flatten(background=255)
    return np.asarray(image.cast("uchar").numpy(), dtype=np.int16)
