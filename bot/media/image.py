"""Pixels: decoded from a file, turned upright, made smaller, written as a JPEG.

Pixels are blue, green and red, 8 bits each, as OpenCV has them.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bot.errors import FileProblem, Reason
from bot.media import file_types as kinds
from bot.media.photo_metadata import quiet, tolerant

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.media.photo_metadata import PhotoHeader

Pixels = NDArray[np.uint8]

QUALITY = 88
"""JPEG quality of what leaves: above it files grow faster than a viewer or model can tell."""

DECODED_BY_OPENCV = {kinds.JPEG, kinds.PNG, kinds.WEBP, kinds.BMP}
REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
"""How OpenCV is told to let the JPEG decoder itself give every second, fourth, eighth pixel."""

TURNS: dict[int, Callable[[Pixels], Pixels]] = {
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.flip(cv2.transpose(pixels), -1),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}
"""What brings pixels upright, by EXIF orientation (CIPA DC-008, tag 274)."""


def decode(data: bytes, header: PhotoHeader, longest: int) -> tuple[Pixels, bool]:
    """Decode the (first) picture of a file to BGR, and tell whether all of it was there.

    The pixels are not yet turned, and a JPEG may come smaller, its longest side no less than
    `longest`. What is transparent is laid over white. Raises `FileProblem` (`DAMAGED`) and
    `MemoryError`.
    """
    if header.kind in DECODED_BY_OPENCV:
        pixels = _by_opencv(data, header, longest)
        if pixels is not None:
            return pixels, True
    try:
        return _by_pillow(data, header), True
    except MemoryError:
        raise
    except Exception:  # A reader raises whatever the file makes it raise.
        return _what_is_left(data, header), False


def decode_own(jpeg: bytes) -> Pixels | None:
    """Decode a JPEG that `encode` wrote; None when it is no longer whole."""
    pixels: Pixels | None = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return pixels


def _by_opencv(data: bytes, header: PhotoHeader, longest: int) -> Pixels | None:
    """Decode with OpenCV; None when it cannot (a cut file, transparency of a grey picture)."""
    reduced = REDUCED[_reduction(header, longest)] | cv2.IMREAD_IGNORE_ORIENTATION
    flags = cv2.IMREAD_UNCHANGED if header.transparent else reduced
    try:
        pixels: Pixels | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from None
        return None
    if pixels is None or not header.transparent:
        return pixels
    return over_white(pixels) if pixels.shape[2:] == (4,) else None


def _reduction(header: PhotoHeader, longest: int) -> int:
    if header.kind != kinds.JPEG:
        return 1
    side = max(header.facts.width, header.facts.height)
    return max(factor for factor in REDUCED if factor == 1 or -(-side // factor) >= longest)


def _by_pillow(data: bytes, header: PhotoHeader) -> Pixels:
    with quiet():
        image = Image.open(io.BytesIO(data), formats=header.kind.readers)
        image.load()
        return to_bgr(image)


def _what_is_left(data: bytes, header: PhotoHeader) -> Pixels:
    """Decode a cut or damaged file as far as it goes."""
    try:
        with tolerant():
            return _by_pillow(data, header)
    except MemoryError:
        raise
    except Exception as error:
        raise FileProblem(Reason.DAMAGED, type(error).__name__) from error


def to_bgr(image: Image.Image) -> Pixels:
    """Turn an opened picture into pixels, what is transparent over white."""
    if image.mode.startswith("I;16"):  # Pillow's own conversion cuts off at 255.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        rgba = np.asarray(image.convert("RGBA"))
        return over_white(cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))
    bgr: Pixels = cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR)
    return bgr


def over_white(bgra: NDArray[np.uint8] | NDArray[np.uint16]) -> Pixels:
    """Lay transparent pixels, blue, green, red and alpha of 8 or 16 bits, over white paper."""
    if bgra.dtype == np.uint16:
        bgra = cv2.convertScaleAbs(bgra, alpha=1 / 257)
    ink = cv2.bitwise_not(cv2.cvtColor(bgra, cv2.COLOR_BGRA2BGR))
    alpha = cv2.cvtColor(cv2.extractChannel(bgra, 3), cv2.COLOR_GRAY2BGR)
    cv2.multiply(ink, alpha, dst=ink, scale=1 / 255)
    paper: Pixels = cv2.bitwise_not(ink, dst=ink)
    return paper


def shrink(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Bring pixels to a smaller width and height, averaging those that fall together."""
    if size == pixels.shape[1::-1]:
        return pixels
    smaller: Pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return smaller


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn and mirror pixels as their EXIF orientation 1..8 says."""
    turn = TURNS.get(orientation)
    return turn(pixels) if turn else pixels


def encode(picture: Pixels, quality: int = QUALITY) -> bytes:
    """Write pixels as a JPEG; there is no metadata that could come along."""
    _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(jpeg)
