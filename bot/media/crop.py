"""A part of a photo or frame at full resolution, for a closer look; runs in a child process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2

from bot.domain.boxes import GRID
from bot.errors import FileProblem, Reason
from bot.media import file_types as kinds
from bot.media.image import decode, encode, shrink, upright
from bot.media.photo_metadata import read_facts
from bot.media.photos import read_file
from bot.media.video_frames import frame_pixels

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.boxes import Box
    from bot.limits import FileLimits
    from bot.media.image import Pixels
    from bot.media.photo_metadata import PhotoHeader

LEAST_SIDE = 512
"""A smaller crop is enlarged to this long side: services look at pictures in patches and tiles of
32 to 512 pixels, in which letters of a few pixels drown."""
LEAST_SEEN = 24
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


def crop(path: Path, limits: FileLimits, box: Box, side: int) -> Crop:
    """Cut a box out of an original file: at most `side` pixels long, enlarged if tiny.

    Raises `FileProblem` as `bot.media.photos.prepare` does, and `MemoryError`.
    """
    data = read_file(path, limits.max_photo_bytes)
    kind = kinds.sniff(data)
    if not kind.readers:
        raise FileProblem(kind.problem or Reason.UNSUPPORTED, kind.name)
    header = read_facts(data, kind, limits)
    pixels, _ = decode(data, header, _needed(header, box, side))
    return _cropped(upright(pixels, header.orientation), box, side)


def crop_frame(path: Path, limits: FileLimits, at: float, box: Box, side: int) -> Crop:
    """Cut a box out of the frame that a video shows at a time, as `crop` does of a photo.

    Raises `FileProblem` as `bot.media.video_frames.shots` does, and `GONE` where there is no such
    frame.
    """
    return _cropped(frame_pixels(path, limits, at), box, side)


def _cropped(pixels: Pixels, box: Box, side: int) -> Crop:
    """Cut a box out of upright pixels."""
    picture = _resized(_cut(pixels, box), side)
    height, width = picture.shape[:2]
    jpeg = encode(picture)
    return Crop(jpeg, width, height, hashlib.sha256(jpeg).hexdigest())


def _needed(header: PhotoHeader, box: Box, side: int) -> int:
    """Tell how long the whole photo has to be so that the box in it is as long as wanted."""
    width, height = header.facts.width, header.facts.height
    part = max(width * (box.right - box.left), height * (box.bottom - box.top)) / GRID
    return min(max(width, height), round(max(width, height) * side / part))


def _cut(pixels: Pixels, box: Box) -> Pixels:
    """Cut a box out of upright pixels, widened about its middle where it has too few."""
    height, width = pixels.shape[:2]
    left, right = _range(box.left, box.right, width)
    top, bottom = _range(box.top, box.bottom, height)
    return pixels[top:bottom, left:right]


def _range(start: int, end: int, size: int) -> tuple[int, int]:
    """Turn coordinates on the grid into a range of whole pixels within a photo."""
    first, last = start * size // GRID, -(-end * size // GRID)
    lacking = max(0, LEAST_SEEN - (last - first))
    first = max(0, min(first - lacking // 2, size - LEAST_SEEN))
    return first, min(size, max(last, first + LEAST_SEEN))


def _resized(part: Pixels, side: int) -> Pixels:
    """Bring a part to at most `side` pixels, or from few to `LEAST_SIDE`, by Lanczos."""
    height, width = part.shape[:2]
    longest = max(width, height)
    wanted = min(side, max(longest, LEAST_SIDE))
    size = max(1, round(width * wanted / longest)), max(1, round(height * wanted / longest))
    if wanted <= longest:
        return shrink(part, size)
    larger: Pixels = cv2.resize(part, size, interpolation=cv2.INTER_LANCZOS4)
    return larger
