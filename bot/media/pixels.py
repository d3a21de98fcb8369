"""Pixels of pictures: turned upright, made smaller, and written as a JPEG.

Pixels are blue, green and red, 8 bits each, as OpenCV has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

Pixels = NDArray[np.uint8]
"""An array of height x width x 3."""

QUALITY = 88
"""JPEG quality of pictures for models and chats: above it files only grow, and look the same."""

NEAR = 0.95
"""A reduction by 2, 4 or 8 that comes this near to the side that is asked for replaces it.

Such a reduction happens inside the JPEG decoder and spares three quarters of the work: a phone's
4032 pixels become 2016, not 2048.
"""

TURNS: dict[int, Callable[[Pixels], Pixels]] = {
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.flip(cv2.transpose(pixels), -1),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}
"""What turns pixels upright, by EXIF orientation (CIPA DC-008, tag 274)."""


def decode_own(jpeg: bytes) -> Pixels | None:
    """Decode a JPEG that `encode` wrote; return None if it is damaged."""
    pixels: Pixels | None = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return pixels


def encode(picture: Pixels, quality: int = QUALITY) -> bytes:
    """Write pixels as a JPEG; it holds no metadata."""
    _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(jpeg)


def to_bgr(image: Image.Image) -> Pixels:
    """Convert an open picture to pixels; transparent parts are laid over white."""
    if image.mode.startswith("I;16"):  # Pillow's own conversion cuts off at 255.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        rgba = np.asarray(image.convert("RGBA"))
        return over_white(cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))
    bgr: Pixels = cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR)
    return bgr


def over_white(bgra: NDArray[np.uint8] | NDArray[np.uint16]) -> Pixels:
    """Lay transparent pixels (blue, green, red and alpha of 8 or 16 bits) over white."""
    if bgra.dtype == np.uint16:
        bgra = cv2.convertScaleAbs(bgra, alpha=1 / 257)
    darkness = cv2.bitwise_not(cv2.cvtColor(bgra, cv2.COLOR_BGRA2BGR))
    alpha = cv2.cvtColor(cv2.extractChannel(bgra, 3), cv2.COLOR_GRAY2BGR)
    cv2.multiply(darkness, alpha, dst=darkness, scale=1 / 255)
    pixels: Pixels = cv2.bitwise_not(darkness, dst=darkness)
    return pixels


def shrink(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Reduce pixels to a width and height, averaging those that fall together."""
    if size == pixels.shape[1::-1]:
        return pixels
    smaller: Pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return smaller


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Rotate and mirror pixels as their EXIF orientation 1..8 says."""
    turn = TURNS.get(orientation)
    return turn(pixels) if turn else pixels


def fitted_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Return the size of the picture for a model: at most `side` pixels long, never enlarged."""
    longest = max(width, height)
    if longest <= side:
        return width, height
    for factor in (2, 4, 8):
        if side * NEAR <= -(-longest // factor) <= side:
            return -(-width // factor), -(-height // factor)
    return max(1, round(width * side / longest)), max(1, round(height * side / longest))
