"""Photos that people post: checked, decoded, upright, small, and without metadata.

All of this runs in a child process (`bot.sandbox`), since the files come from strangers.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from bot.domain.boxes import GRID
from bot.domain.files import PhotoFacts
from bot.errors import FileProblem, Reason
from bot.media import file_types as kinds
from bot.media.crop import crop
from bot.media.photo_metadata import (
    QUARTER_TURNS,
    allow_truncation,
    ignore_warnings,
    read_header,
)
from bot.media.pixels import encode, fitted_size, over_white, shrink, to_bgr, upright

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.boxes import Box
    from bot.limits import FileLimits
    from bot.media.crop import Crop
    from bot.media.photo_metadata import PhotoHeader
    from bot.media.pixels import Pixels

OPENCV_TYPES = {kinds.JPEG, kinds.PNG, kinds.WEBP, kinds.BMP}
"""What OpenCV decodes, faster than Pillow."""
REDUCTIONS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
"""Flags with which the JPEG decoder itself returns every second, fourth, eighth pixel."""
MIN_CONTENT = 0.01
"""Share of a truncated picture that has to be there."""


@dataclass(frozen=True, slots=True)
class PreparedPhoto:
    """A photo ready for a model.

    `jpeg` is upright, `width` x `height` pixels, and holds no metadata; `sha256` is the hex digest
    of the original file's bytes, and `facts` is what that file says of itself.
    """

    facts: PhotoFacts
    jpeg: bytes
    width: int
    height: int
    sha256: str


def prepare(path: Path, limits: FileLimits) -> PreparedPhoto:
    """Check a file and make the picture of it that models get.

    A truncated file yields what it holds, with `facts.incomplete`. Raises `FileProblem`: `EMPTY`,
    `TOO_LARGE`, `UNSUPPORTED` (the detail names the kind), `TOO_MANY_PIXELS`, `DAMAGED`; and
    `MemoryError`.
    """
    data, header = _read(path, limits)
    picture, is_complete = _picture(data, header, limits.photo_side)
    facts = header.facts
    if facts.incomplete or not is_complete:
        facts = replace(facts, incomplete=True)
        _check_content(picture)
    height, width = picture.shape[:2]
    return PreparedPhoto(facts, encode(picture), width, height, hashlib.sha256(data).hexdigest())


def crop_photo(path: Path, limits: FileLimits, box: Box, side: int) -> Crop:
    """Cut a box out of an original file: at most `side` pixels long, enlarged if tiny.

    Raises `FileProblem` as `prepare` does, and `MemoryError`.
    """
    data, header = _read(path, limits)
    pixels, _ = decode(data, header, _side_for(header, box, side))
    return crop(upright(pixels, header.orientation), box, side)


def read_file(path: Path, limit: int) -> bytes:
    """Read a file of at most so many bytes; raises `FileProblem` (`EMPTY`, `TOO_LARGE`)."""
    size = path.stat().st_size
    if size == 0:
        raise FileProblem(Reason.EMPTY)
    if size > limit:
        raise FileProblem(Reason.TOO_LARGE)
    return path.read_bytes()


def _read(path: Path, limits: FileLimits) -> tuple[bytes, PhotoHeader]:
    """Read a file and its header; raises `FileProblem`."""
    data = read_file(path, limits.max_photo_bytes)
    kind = kinds.sniff(data)
    if not kind.readers:
        raise FileProblem(kind.problem or Reason.UNSUPPORTED, kind.name)
    return data, read_header(data, kind, limits)


def _picture(data: bytes, header: PhotoHeader, side: int) -> tuple[Pixels, bool]:
    """Decode, shrink, then rotate, as fewer pixels are rotated then."""
    size = fitted_size(header.facts.width, header.facts.height, side)
    pixels, is_complete = decode(data, header, max(size))
    size_in_file = size[::-1] if header.orientation in QUARTER_TURNS else size
    return upright(shrink(pixels, size_in_file), header.orientation), is_complete


def _check_content(picture: Pixels) -> None:
    """Raise `FileProblem` for a truncated file that holds little but the decoder's filling."""
    filling = np.median(picture, axis=(0, 1)).astype(np.int16)
    content = (np.abs(picture - filling) > 2).any(axis=2).mean()
    if content < MIN_CONTENT:
        raise FileProblem(Reason.DAMAGED, "no content")


def _side_for(header: PhotoHeader, box: Box, side: int) -> int:
    """Return how long the whole photo has to be for the box in it to be `side` pixels long."""
    width, height = header.facts.width, header.facts.height
    part = max(width * (box.right - box.left), height * (box.bottom - box.top)) / GRID
    return min(max(width, height), round(max(width, height) * side / part))


def decode(data: bytes, header: PhotoHeader, longest: int) -> tuple[Pixels, bool]:
    """Decode the (first) picture of a file, and return whether all of it was there.

    The pixels are not yet upright, and a JPEG may come smaller, its longest side no less than
    `longest`. Transparent parts are laid over white. Raises `FileProblem` (`DAMAGED`) and
    `MemoryError`.
    """
    if header.kind in OPENCV_TYPES:
        pixels = _decode_by_opencv(data, header, longest)
        if pixels is not None:
            return pixels, True
    try:
        return _decode_by_pillow(data, header), True
    except MemoryError:
        raise
    except Exception:  # A reader raises whatever the file makes it raise.
        return _decode_in_part(data, header), False


def _decode_by_opencv(data: bytes, header: PhotoHeader, longest: int) -> Pixels | None:
    """Decode with OpenCV; return None if it cannot (a truncated file, a transparent grey one)."""
    flags = cv2.IMREAD_UNCHANGED
    if not header.has_alpha:
        flags = REDUCTIONS[_reduction(header, longest)] | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels: Pixels | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from None
        return None
    if pixels is None or not header.has_alpha:
        return pixels
    return over_white(pixels) if pixels.shape[2:] == (4,) else None


def _reduction(header: PhotoHeader, longest: int) -> int:
    if header.kind != kinds.JPEG:
        return 1
    side = max(header.facts.width, header.facts.height)
    return max(factor for factor in REDUCTIONS if factor == 1 or -(-side // factor) >= longest)


def _decode_by_pillow(data: bytes, header: PhotoHeader) -> Pixels:
    with ignore_warnings():
        image = Image.open(io.BytesIO(data), formats=header.kind.readers)
        image.load()
        return to_bgr(image)


def _decode_in_part(data: bytes, header: PhotoHeader) -> Pixels:
    """Decode a truncated or damaged file as far as possible."""
    try:
        with allow_truncation():
            return _decode_by_pillow(data, header)
    except MemoryError:
        raise
    except Exception as error:
        raise FileProblem(Reason.DAMAGED, type(error).__name__) from error
