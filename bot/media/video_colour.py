"""A decoded frame of a video as upright pixels of the right shape, colour and brightness."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from bot.media.pixels import over_white, shrink
from bot.media.tone_mapping import PEAKS, tone_map

if TYPE_CHECKING:
    from av import VideoFrame
    from numpy.typing import NDArray

    from bot.media.pixels import Pixels

MATRICES = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
"""What swscale calls matrix coefficients (ITU-T H.273, table 4)."""
SD_LINES = 576
"""Without a matrix, a video up to this height and narrower than `HD_WIDTH` is taken for BT.601."""
HD_WIDTH = 1280

BLACK, WHITE = 16, 235
"""8-bit levels of black and white in grey of limited range (ITU-R BT.601 and BT.709)."""


def to_pixels(frame: VideoFrame, longest: int, aspect: float = 1.0) -> Pixels:
    """Convert a frame to upright pixels, at most `longest` on the longer side.

    `aspect` is how many times wider than high a pixel of the frame is.
    """
    width, height = _size(frame, longest, aspect)
    if frame.color_trc in PEAKS:
        # swscale is faster with planes than with packed pixels of 16 bits.
        pixels = tone_map(_convert(frame, width, height, "gbrp16le"), frame.color_trc)
    elif frame.format.has_palette or any(part.is_alpha for part in frame.format.components):
        # At full size: colours of transparent pixels must not be mixed into their neighbours.
        full_size = over_white(_convert(frame, frame.width, frame.height, "bgra"))
        pixels = shrink(full_size, (width, height))
    else:
        pixels = _convert(frame, width, height, "bgr24")
        if frame.format.name.startswith("gray") and frame.color_range == ColorRange.MPEG:
            pixels = cv2.LUT(pixels, _grey())
    return _upright(pixels, frame)


def _size(frame: VideoFrame, longest: int, aspect: float) -> tuple[int, int]:
    """Return the size: pixels that are not square make a picture wider or narrower."""
    wide = frame.width * aspect
    scale = min(1.0, longest / max(wide, frame.height))
    return max(1, round(wide * scale)), max(1, round(frame.height * scale))


def _convert(frame: VideoFrame, width: int, height: int, pixel_format: str) -> NDArray[Any]:
    """Let swscale shrink and convert in one step."""
    matrix = MATRICES.get(frame.colorspace) or _usual_matrix(frame)
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    converted_frame = frame.reformat(
        width=width,
        height=height,
        format=pixel_format,
        src_colorspace=None if frame.format.is_rgb else matrix,
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=Interpolation.AREA,
        threads=1,
    )
    pixels: NDArray[Any] = converted_frame.to_ndarray()
    return pixels


def _usual_matrix(frame: VideoFrame) -> Colorspace:
    """Return the matrix of a video that names none, as players guess it."""
    if frame.color_trc in PEAKS:
        return Colorspace.BT2020
    small = frame.width < HD_WIDTH and frame.height <= SD_LINES
    return Colorspace.ITU601 if small else Colorspace.ITU709


def _upright(pixels: Pixels, frame: VideoFrame) -> Pixels:
    """Rotate and mirror as the display matrix says (ISO/IEC 14496-12, 8.3.2), by quarter turns."""
    transpose, flip_x, flip_y = _turn(frame)
    if transpose:
        pixels = cv2.transpose(pixels)
    if flip_x or flip_y:
        pixels = cv2.flip(pixels, -1 if flip_x and flip_y else 1 if flip_x else 0)
    return pixels


def _turn(frame: VideoFrame) -> tuple[bool, bool, bool]:
    """Return whether to swap the axes, then to flip left and right, then top and bottom."""
    data: Any = frame.side_data
    matrix = data.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return False, False, False
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))
    if abs(a) >= abs(b):
        return False, a < 0, d < 0
    return True, c < 0, b < 0


@lru_cache(1)
def _grey() -> NDArray[np.uint8]:
    """Return a table that spreads grey of limited range, which swscale takes for full."""
    levels = (np.arange(256) - BLACK) * 255 / (WHITE - BLACK)
    return np.clip(np.round(levels), 0, 255).astype(np.uint8)
