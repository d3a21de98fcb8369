"""A decoded frame of a video as upright pixels, right in shape, colour and brightness."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from bot.media.pixels import over_white

if TYPE_CHECKING:
    from av import VideoFrame
    from numpy.typing import NDArray

    from bot.media.pixels import Pixels

PQ, HLG = 16, 18
"""Transfer characteristics beyond the range of usual screens (ITU-T H.273, table 3)."""
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
HD_LINES = 720
"""From so many lines on, a video that names no matrix means BT.709, below it BT.601."""
SMOOTH = Interpolation.AREA

WHITE = 203.0
"""Candelas per square metre of a white page in HDR (ITU-R BT.2408, table 1)."""
PEAK = 1000.0
"""Of the brightest light that is told from less bright: that of the screen of BT.2100's HLG."""
KNEE = 0.75
"""Share of white up to which light stays as it is; what is lighter is squeezed into the rest."""
STEPS = 1024
"""Levels of a channel that are told apart: those of 10 bits."""
TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
"""From the primaries of BT.2020 to those of BT.709, in linear light (ITU-R BT.2087, annex 2)."""
LUMA = np.array([[0.2627, 0.6780, 0.0593]], np.float32)
"""The share of red, green and blue in the luminance of BT.2020."""


def picture(frame: VideoFrame, longest: int, aspect: float = 1.0) -> Pixels:
    """Turn a frame into upright pixels of at most `longest` on the longer side.

    `aspect` is how many times wider than high a pixel of the frame is.
    """
    width, height = _size(frame, longest, aspect)
    if frame.color_trc in (PQ, HLG):
        pixels = _toned(frame, width, height)
    elif any(component.is_alpha for component in frame.format.components):
        pixels = over_white(_reformed(frame, width, height, "bgra"))
    else:
        pixels = _reformed(frame, width, height, "bgr24")
    return _upright(pixels, frame)


def _size(frame: VideoFrame, longest: int, aspect: float) -> tuple[int, int]:
    """Reckon the size: pixels that are not square make a picture wider or narrower."""
    wide = frame.width * aspect
    scale = min(1.0, longest / max(wide, frame.height))
    return max(1, round(wide * scale)), max(1, round(frame.height * scale))


def _reformed(frame: VideoFrame, width: int, height: int, pixel_format: str) -> NDArray[Any]:
    """Have swscale shrink and convert in one go."""
    unknown = Colorspace.ITU709 if frame.height >= HD_LINES else Colorspace.ITU601
    matrix = MATRICES.get(frame.colorspace, unknown)
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    made = frame.reformat(
        width=width,
        height=height,
        format=pixel_format,
        src_colorspace=None if frame.format.is_rgb else matrix,
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=SMOOTH,
        threads=1,
    )
    pixels: NDArray[Any] = made.to_ndarray()
    return pixels


def _upright(pixels: Pixels, frame: VideoFrame) -> Pixels:
    """Turn and mirror as the display matrix says (ISO/IEC 14496-12, 8.3.2), by quarter turns."""
    swapped, mirrored, upended = _turn(frame)
    if swapped:
        pixels = cv2.transpose(pixels)
    if mirrored or upended:
        pixels = cv2.flip(pixels, -1 if mirrored and upended else 1 if mirrored else 0)
    return pixels


def _turn(frame: VideoFrame) -> tuple[bool, bool, bool]:
    """Tell whether to swap the axes, then to flip left and right, then top and bottom."""
    data: Any = frame.side_data
    matrix = data.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return False, False, False
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))
    if abs(a) >= abs(b):
        return False, a < 0, d < 0
    return True, c < 0, b < 0


def _toned(frame: VideoFrame, width: int, height: int) -> Pixels:
    """Bring high dynamic range into the range and the primaries of usual screens."""
    signal = _reformed(frame, width, height, "rgb48le") >> 6
    light = _light(frame.color_trc)[signal]
    if frame.color_trc == HLG:
        # A screen shows the scene with more contrast: by gamma 1.2 of the luminance (BT.2100).
        glow = np.maximum(cv2.transform(light, LUMA), 1e-6) ** 0.2
        light *= glow[..., None] * np.float32(PEAK / WHITE)
    light = np.maximum(cv2.transform(light, TO_709), 0.0)
    brightest = np.maximum(light.max(axis=2, keepdims=True), 1e-6)
    light *= _squeezed(brightest) / brightest
    levels = np.clip(light * (STEPS * 4 - 1), 0, STEPS * 4 - 1).astype(np.uint16)
    return np.ascontiguousarray(_screen()[levels][..., ::-1])


def _squeezed(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Leave light below the knee as it is, and bring the peak down to 1, in one smooth curve."""
    above = np.maximum(light - KNEE, 0.0) / (1 - KNEE)
    most = (PEAK / WHITE - KNEE) / (1 - KNEE)
    rolled = KNEE + (1 - KNEE) * above * (1 + above / most**2) / (1 + above)
    return np.where(light > KNEE, np.minimum(rolled, 1.0), light)


@lru_cache(2)
def _light(transfer: int) -> NDArray[np.float32]:
    """Tell the linear light of each signal level (ITU-R BT.2100, tables 4 and 5).

    Of PQ that is the light of the screen in parts of white, of HLG that of the scene, 0 to 1.
    """
    signal = np.linspace(0, 1, STEPS)
    if transfer == PQ:
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        root = signal ** (1 / m2)
        light = 10_000 / WHITE * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    else:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return light.astype(np.float32)


@lru_cache(1)
def _screen() -> NDArray[np.uint8]:
    """Tell the level of an sRGB screen (IEC 61966-2-1) for linear light."""
    light = np.linspace(0, 1, STEPS * 4)
    level = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(level * 255).astype(np.uint8)
