"""Numbered contact sheets: many photos in few pictures, each with its label beside it."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bot.media.pixels import decode_own, encode, shrink
from bot.problems import FileProblem, Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.media.pixels import Pixels

CELLS = 12
"""Photos on one sheet while the limit allows: in 4 x 3 cells of 512 pixels a sign is readable."""

WHITE = (255, 255, 255)
BLACK = (0, 0, 0)
LABEL_SHARE = 6
"""A label is one sixth of its cell: capitals of 10 points when a sheet fills a phone's width."""
GAP_SHARE = 64
FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True)
class Sheet:
    """A contact sheet as JPEG of `width` x `height` pixels; `sha256` is the hex digest of it."""

    jpeg: bytes
    width: int
    height: int
    sha256: str


def arrange(count: int, limit: int) -> tuple[int, tuple[int, ...]]:
    """Share `count` photos out among at most `limit` pictures.

    Returns how many go singly (as many as possible, the first ones), and how many of the rest go
    on each sheet: up to `CELLS`, evenly, and more only where the limit leaves no other way.
    """
    if count <= limit:
        return count, ()
    singles = max(
        (few for few in range(limit) if math.ceil((count - few) / CELLS) <= limit - few), default=0
    )
    rest = count - singles
    sheets = min(math.ceil(rest / CELLS), limit - singles)
    return singles, tuple(rest // sheets + (at < rest % sheets) for at in range(sheets))


def sheet(pictures: Sequence[tuple[int, bytes]], side: int) -> Sheet:
    """Put numbered JPEGs on one sheet of at most `side` pixels, in rows, none enlarged.

    Above each photo stands its label ("P7"), white on black. Raises `ValueError` without any
    pictures, and `FileProblem` (`DAMAGED`, the detail names the label).
    """
    if not pictures:
        raise ValueError("a contact sheet needs pictures")
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    cell = side // columns
    paper = np.full((rows * cell, columns * cell, 3), WHITE, np.uint8)
    for place, (number, jpeg) in enumerate(pictures):
        top, left = place // columns * cell, place % columns * cell
        _fill(paper[top : top + cell, left : left + cell], f"P{number}", jpeg)
    made = encode(paper)
    return Sheet(made, columns * cell, rows * cell, hashlib.sha256(made).hexdigest())


def _fill(cell: Pixels, label: str, jpeg: bytes) -> None:
    """Draw a label and, below it, a photo into a square cell."""
    photo = decode_own(jpeg)
    if photo is None:
        raise FileProblem(Reason.DAMAGED, label)
    side = cell.shape[0]
    gap, strip = side // GAP_SHARE, side // LABEL_SHARE
    _write(cell[gap : gap + strip, gap : side - gap], label)
    _paste(cell[2 * gap + strip : side - gap, gap : side - gap], photo)


def _write(strip: Pixels, label: str) -> None:
    """Write a label at the left of a black strip, as high as fits."""
    height = strip.shape[0]
    letters = height * 85 // 100
    capitals = letters * 3 // 4
    scale = cv2.getFontScaleFromHeight(FONT, letters)
    strip[:] = BLACK
    start = (height // 4, (height + capitals) // 2)
    cv2.putText(strip, label, start, FONT, scale, WHITE, max(1, height // 10), cv2.LINE_AA)


def _paste(space: Pixels, photo: Pixels) -> None:
    """Put a photo into the middle of a space, with its proportions kept."""
    (room_high, room_wide), (high, wide) = space.shape[:2], photo.shape[:2]
    scale = min(1.0, room_wide / wide, room_high / high)
    width, height = max(1, int(wide * scale)), max(1, int(high * scale))
    top, left = (room_high - height) // 2, (room_wide - width) // 2
    space[top : top + height, left : left + width] = shrink(photo, (width, height))
