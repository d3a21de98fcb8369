"""A posted file made ready for a model: checked, decoded, upright, small, without metadata.

All of this runs in a child process (`bot.sandbox`): it is what strangers' bytes meet first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bot.domain.files import PhotoFacts
from bot.errors import FileProblem, Reason
from bot.media import file_types as kinds
from bot.media.image import decode, encode, shrink, upright
from bot.media.photo_metadata import QUARTER_TURNED, read_facts

if TYPE_CHECKING:
    from pathlib import Path

    from bot.limits import FileLimits
    from bot.media.image import Pixels
    from bot.media.photo_metadata import PhotoHeader

NEAR = 0.95
"""A reduction by 2, 4 or 8 that comes this near to the wanted side is taken instead of it.

Such a reduction happens inside the JPEG decoder and spares three quarters of the work: a phone's
4032 pixels become 2016, not 2048.
"""

LEAST_LEFT = 0.01
"""Share of a cut picture that has to be there."""


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
    """Check a file and make the model-ready picture of it.

    A file that is cut yields what it holds, with `facts.incomplete`. Raises `FileProblem`:
    `EMPTY`, `TOO_LARGE`, `UNSUPPORTED` (the detail names the kind),
    `TOO_MANY_PIXELS`, `DAMAGED`; and `MemoryError`.
    """
    data = read_file(path, limits.max_photo_bytes)
    kind = kinds.sniff(data)
    if not kind.readers:
        raise FileProblem(kind.problem or Reason.UNSUPPORTED, kind.name)
    header = read_facts(data, kind, limits)
    picture, whole = _picture(data, header, limits.photo_side)
    facts = header.facts
    if facts.incomplete or not whole:
        facts = replace(facts, incomplete=True)
        _expect_something(picture)
    height, width = picture.shape[:2]
    return PreparedPhoto(facts, encode(picture), width, height, hashlib.sha256(data).hexdigest())


def read_file(path: Path, limit: int) -> bytes:
    """Read a file of at most so many bytes; raises `FileProblem` (`EMPTY`, `TOO_LARGE`)."""
    size = path.stat().st_size
    if size == 0:
        raise FileProblem(Reason.EMPTY)
    if size > limit:
        raise FileProblem(Reason.TOO_LARGE)
    return path.read_bytes()


def _picture(data: bytes, header: PhotoHeader, side: int) -> tuple[Pixels, bool]:
    """Decode, make small while still as stored, then turn: fewer pixels to turn."""
    size = fitted(header.facts.width, header.facts.height, side)
    pixels, whole = decode(data, header, max(size))
    stored = size[::-1] if header.orientation in QUARTER_TURNED else size
    return upright(shrink(pixels, stored), header.orientation), whole


def _expect_something(picture: Pixels) -> None:
    """Refuse a cut file of which little but the decoder's filling is left."""
    filling = np.median(picture, axis=(0, 1)).astype(np.int16)
    left = (np.abs(picture - filling) > 2).any(axis=2).mean()
    if left < LEAST_LEFT:
        raise FileProblem(Reason.DAMAGED, "nothing left")


def fitted(width: int, height: int, side: int) -> tuple[int, int]:
    """Tell the size of the model-ready picture: at most `side` pixels long, never enlarged."""
    longest = max(width, height)
    if longest <= side:
        return width, height
    for factor in (2, 4, 8):
        if side * NEAR <= -(-longest // factor) <= side:
            return -(-width // factor), -(-height // factor)
    return max(1, round(width * side / longest)), max(1, round(height * side / longest))
