"""A part of a photo or frame at full resolution, for a closer look."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2

from bot.domain.boxes import GRID
from bot.media.pixels import encode, shrink

if TYPE_CHECKING:
    from bot.domain.boxes import Box
    from bot.media.pixels import Pixels

MIN_SIDE = 512
"""A smaller crop is enlarged to this long side: services look at pictures in patches and tiles of
32 to 512 pixels, in which letters of a few pixels drown."""
MIN_SOURCE = 24
"""Pixels of the photo that a crop shows at least, each way: fewer are a blur."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of a picture as a JPEG of `width` x `height` pixels, upright, without metadata.

    `sha256` is the hex digest of the JPEG.
    """

    jpeg: bytes
    width: int
    height: int
    sha256: str


def crop(pixels: Pixels, box: Box, side: int) -> Crop:
    """Cut a box out of upright pixels: at most `side` pixels long, enlarged if tiny."""
    picture = _resize(_cut(pixels, box), side)
    height, width = picture.shape[:2]
    jpeg = encode(picture)
    return Crop(jpeg, width, height, hashlib.sha256(jpeg).hexdigest())


def _cut(pixels: Pixels, box: Box) -> Pixels:
    """Cut a box out of pixels, widened about its middle where it has too few."""
    height, width = pixels.shape[:2]
    left, right = _range(box.left, box.right, width)
    top, bottom = _range(box.top, box.bottom, height)
    return pixels[top:bottom, left:right]


def _range(start: int, end: int, size: int) -> tuple[int, int]:
    """Turn coordinates on the grid into a range of whole pixels within a photo."""
    first, last = start * size // GRID, -(-end * size // GRID)
    lack = max(0, MIN_SOURCE - (last - first))
    first = max(0, min(first - lack // 2, size - MIN_SOURCE))
    return first, min(size, max(last, first + MIN_SOURCE))


def _resize(part: Pixels, side: int) -> Pixels:
    """Shrink a part to `side` pixels, or enlarge a small one to `MIN_SIDE` by Lanczos."""
    height, width = part.shape[:2]
    longest = max(width, height)
    target = min(side, max(longest, MIN_SIDE))
    size = max(1, round(width * target / longest)), max(1, round(height * target / longest))
    if target <= longest:
        return shrink(part, size)
    larger: Pixels = cv2.resize(part, size, interpolation=cv2.INTER_LANCZOS4)
    return larger
