"""Contact sheets: many photos or frames in few pictures, each below its label."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bot.errors import FileProblem, Reason
from bot.media.draw_outlines import draw_on, encode_within, resize
from bot.media.pixels import decode_own, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.outlines import Outline
    from bot.media.pixels import Pixels

CELLS = 12
"""Photos on one sheet while the limit allows: in 3 x 4 cells of 682 pixels a sign is readable."""

WHITE = (255, 255, 255)
BLACK = (0, 0, 0)
LABEL_SHARE = 24
"""A label is this part of the sheet's side: capitals of 10 points on one of a phone's width."""
MAX_LABEL = 6, 4
"""A label is at most a sixth of its row, and a quarter as high as its picture."""
GAP_SHARE = 256
"""A gap is this part of the sheet's side."""
PROPORTIONS = 0.4, 2.5
"""The least and the largest width by height of cells, whatever the pictures are."""
OUTLINE_SCALE = 2
"""Outlines have the size that they have on a picture of the sheet's side divided by this."""
FONT = cv2.FONT_HERSHEY_SIMPLEX

Cell = tuple[str, bytes, "Sequence[Outline]"]
"""A label, a JPEG of our own, and the outlines on it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A contact sheet as JPEG of `width` x `height` pixels; `sha256` is the hex digest of it."""

    jpeg: bytes
    width: int
    height: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Grid:
    """The layout of a sheet, in pixels.

    Each cell has room for a picture of `wide` x `high`, below a label that is `strip` high, with a
    `gap` around both.
    """

    columns: int
    rows: int
    wide: int
    high: int
    strip: int
    gap: int

    @property
    def cell(self) -> tuple[int, int]:
        """Width and height of a cell."""
        return self.wide + 2 * self.gap, self.high + self.strip + 3 * self.gap

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the sheet."""
        return self.columns * self.cell[0], self.rows * self.cell[1]


def distribute(count: int, limit: int) -> tuple[int, tuple[int, ...]]:
    """Distribute `count` photos among at most `limit` pictures.

    Returns how many are sent singly (as many as possible, the first ones), and how many of the rest
    go on each sheet: up to `CELLS`, evenly, and more only where the limit leaves no other way.
    """
    if count <= limit:
        return count, ()
    singles = max(
        (few for few in range(limit) if math.ceil((count - few) / CELLS) <= limit - few), default=0
    )
    rest = count - singles
    sheets = min(math.ceil(rest / CELLS), limit - singles)
    return singles, tuple(rest // sheets + (at < rest % sheets) for at in range(sheets))


def contact_sheet(pictures: Sequence[tuple[str, bytes]], side: int) -> Sheet:
    """Put JPEGs on one sheet of at most `side` pixels, in rows, none enlarged.

    Above each stands its label ("P7", "V1 0:12.4"; ASCII), white on black. Raises `ValueError`
    without any pictures, and `FileProblem` (`DAMAGED`, the detail names the label).
    """
    photos = [(label, _decode(label, jpeg)) for label, jpeg in pictures]
    widest = max((photo.shape[1] for _, photo in photos), default=0)
    grid = _grid([photo for _, photo in photos], side, widest)
    canvas = _canvas(grid)
    for at, (label, photo) in enumerate(photos):
        strip, space = _spaces(canvas, grid, at)
        _write(strip, label)
        _paste(space, resize(photo, _fitted_size(photo, space, 1.0)))
    return _sheet(encode(canvas), *grid.size)


def outlined_sheet(cells: Sequence[Cell], side: int, max_bytes: int) -> Sheet:
    """Put frames with their outlines on a sheet of at most `side` pixels and so many bytes.

    They are enlarged where there is room. If needed, the sheet has a lower quality or is smaller.
    Raises as `contact_sheet` does, and `ValueError` where not even a thumbnail fits.
    """
    photos = [(label, _decode(label, jpeg), outlines) for label, jpeg, outlines in cells]

    def draw_sheet(longest: float) -> Pixels:
        grid = _grid([photo for _, photo, _ in photos], int(longest), int(longest))
        canvas = _canvas(grid)
        for at, (label, photo, outlines) in enumerate(photos):
            strip, space = _spaces(canvas, grid, at)
            _write(strip, label)
            frame = resize(photo, _fitted_size(photo, space))
            draw_on(frame, outlines, int(longest) // OUTLINE_SCALE)
            _paste(space, frame)
        return canvas

    picture = encode_within(draw_sheet, side, max_bytes)
    return _sheet(picture.jpeg, picture.width, picture.height)


def _sheet(jpeg: bytes, width: int, height: int) -> Sheet:
    return Sheet(jpeg, width, height, hashlib.sha256(jpeg).hexdigest())


def _decode(label: str, jpeg: bytes) -> Pixels:
    photo = decode_own(jpeg)
    if photo is None:
        raise FileProblem(Reason.DAMAGED, label)
    return photo


def _grid(photos: Sequence[Pixels], side: int, widest: int) -> Grid:
    """Return the grid with the largest pictures, at most `widest` wide, and then the squarest."""
    if not photos:
        raise ValueError("a contact sheet needs pictures")
    least, most = PROPORTIONS
    usual = median(photo.shape[1] / photo.shape[0] for photo in photos)
    proportion = min(max(usual, least), most)
    count = len(photos)
    grids = [
        _grid_of(columns, math.ceil(count / columns), side, proportion, widest)
        for columns in range(1, count + 1)
    ]
    return max(grids, key=lambda grid: (grid.wide, -max(grid.size)))


def _grid_of(columns: int, rows: int, side: int, proportion: float, widest: int) -> Grid:
    """Return the grid of so many columns and rows on a sheet of that side."""
    gap = max(1, side // GAP_SHARE)
    rows_per_label, labels_per_picture = MAX_LABEL
    strip = min(side // LABEL_SHARE, side // rows // rows_per_label)
    room = (side // rows - strip - 3 * gap) * proportion
    wide = max(1, int(min(side // columns - 2 * gap, room, widest)))
    high = max(1, int(wide / proportion))
    return Grid(columns, rows, wide, high, max(1, min(strip, high // labels_per_picture)), gap)


def _canvas(grid: Grid) -> Pixels:
    width, height = grid.size
    return np.full((height, width, 3), WHITE, np.uint8)


def _spaces(canvas: Pixels, grid: Grid, at: int) -> tuple[Pixels, Pixels]:
    """Return the parts of the sheet for a cell's label and for its picture."""
    row, column = divmod(at, grid.columns)
    (width, height), gap = grid.cell, grid.gap
    left, top = column * width + gap, row * height + gap
    below = top + grid.strip + gap
    across = slice(left, left + grid.wide)
    return canvas[top : top + grid.strip, across], canvas[below : below + grid.high, across]


def _write(strip: Pixels, label: str) -> None:
    """Write a label at the left of a black strip, as large as fits."""
    height, width = strip.shape[:2]
    strip[:] = BLACK
    scale, thick = cv2.getFontScaleFromHeight(FONT, height * 85 // 100), max(1, height // 10)
    (wide, _), _ = cv2.getTextSize(label, FONT, scale, thick)
    scale *= min(1.0, (width - height // 2) / wide)
    (_, high), _ = cv2.getTextSize(label, FONT, scale, thick)
    start = (height // 4, (height + high * 3 // 4) // 2)
    cv2.putText(strip, label, start, FONT, scale, WHITE, thick, cv2.LINE_AA)


def _fitted_size(photo: Pixels, space: Pixels, most: float = math.inf) -> tuple[int, int]:
    """Return the width and height of a picture in a space, enlarged at most so many times."""
    (room_high, room_wide), (high, wide) = space.shape[:2], photo.shape[:2]
    scale = min(most, room_wide / wide, room_high / high)
    return min(room_wide, round(wide * scale)), min(room_high, round(high * scale))


def _paste(space: Pixels, picture: Pixels) -> None:
    """Put a picture into the middle of a space."""
    (room_high, room_wide), (high, wide) = space.shape[:2], picture.shape[:2]
    top, left = (room_high - high) // 2, (room_wide - wide) // 2
    space[top : top + high, left : left + wide] = picture
