"""Tiles: overlapping parts that a picture is looked at in, so that small things show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from adapters.vision.polygons import enclosing_rectangle, intersection_area, overlap, thickness

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.vision.polygons import Corners
    from bot.media.pixels import Pixels

TOUCHES = 4.0
"""Pixels from a tile's edge within which a shape counts as cut by it."""
SAME = 0.6
"""Shapes that share so much of the smaller one are the same thing."""
THICKER = 1.4
"""How much thicker than its ends a line may be that they are put together to."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a picture of `frame` (width, height), all in pixels."""

    left: int
    top: int
    width: int
    height: int
    frame: tuple[int, int]

    def of(self, pixels: Pixels) -> Pixels:
        """Cut the part out of the picture."""
        return pixels[self.top : self.top + self.height, self.left : self.left + self.width]

    def placed(self, shape: Corners) -> Corners:
        """Move a shape from where it is in the part to where it is in the picture."""
        return shape + np.array([self.left, self.top], np.float32)

    def cuts(self, shape: Corners) -> bool:
        """Tell whether a shape, in pixels of the picture, ends where the tile does inside it."""
        left, top = shape.min(axis=0)
        right, bottom = shape.max(axis=0)
        width, height = self.frame
        return bool(
            0 < self.left >= left - TOUCHES
            or 0 < self.top >= top - TOUCHES
            or width > self.left + self.width <= right + TOUCHES
            or height > self.top + self.height <= bottom + TOUCHES
        )


def whole(width: int, height: int) -> Tile:
    """Take a picture as one tile."""
    return Tile(0, 0, width, height, (width, height))


def quarters(width: int, height: int, share: float) -> list[Tile]:
    """Cover a picture with four tiles in its corners, each of so much of its sides."""
    wide, high = round(width * share), round(height * share)
    return [
        Tile(left, top, wide, high, (width, height))
        for top in (0, height - high)
        for left in (0, width - wide)
    ]


def tiles_of(width: int, height: int, side: int, overlap: int) -> list[Tile]:
    """Cover a picture with as few equal tiles of at most `side` pixels as do, row by row.

    Neighbours share about `overlap` pixels.
    """
    wide, lefts = _starts(width, side, overlap)
    high, tops = _starts(height, side, overlap)
    return [Tile(left, top, wide, high, (width, height)) for top in tops for left in lefts]


def _starts(length: int, side: int, overlap: int) -> tuple[int, list[int]]:
    """Tell how long the tiles along one side of a picture are, and where they begin."""
    count = _needed(length, side, overlap)
    part = math.ceil((length + (count - 1) * overlap) / count)
    return part, [round(place * (length - part) / max(1, count - 1)) for place in range(count)]


def _needed(length: float, side: int, overlap: int) -> int:
    return max(1, math.ceil((length - overlap) / (side - overlap)))


def scale_for(width: int, height: int, side: int, overlap: int, most: int) -> float:
    """Tell how large a picture may be, up to 1 for its full size, to need `most` tiles."""
    scales = (1 - step / 100 for step in range(100))
    fitting = (
        scale
        for scale in scales
        if _needed(width * scale, side, overlap) * _needed(height * scale, side, overlap) <= most
    )
    return next(fitting, side / max(width, height))


def join_shapes(shapes: Iterable[tuple[Corners, bool]]) -> list[Corners]:
    """Put shapes together that are of the same; with each goes whether a tile's edge cuts it.

    A shape that two tiles show is kept once, the larger one. Two that are cut and overlap are the
    ends of one that no tile shows whole.
    """
    pairs: list[tuple[Corners, bool]] = []
    for shape, cut in sorted(shapes, key=_by_wholeness):
        _take(pairs, shape, cut)
    return [shape for shape, _ in pairs]


def _by_wholeness(pair: tuple[Corners, bool]) -> tuple[bool, float]:
    shape, cut = pair
    return cut, -_reach(shape)


def _reach(shape: Corners) -> float:
    """Measure a shape along the longer side of the upright box around it."""
    return float((shape.max(axis=0) - shape.min(axis=0)).max())


def _take(pairs: list[tuple[Corners, bool]], shape: Corners, cut: bool) -> None:
    """Add a shape, unless it is there, as part of another or beside the other end of it."""
    for place, (other, other_cut) in enumerate(pairs):
        if overlap(shape, other) > SAME:
            return
        if cut and other_cut and _continues(shape, other):
            pairs[place] = (enclosing_rectangle(other, shape), True)
            return
    pairs.append((shape, cut))


def _continues(shape: Corners, other: Corners) -> bool:
    """Tell whether two shapes are ends of one line: together hardly thicker than either."""
    if not intersection_area(shape, other):
        return False
    return thickness(enclosing_rectangle(shape, other)) < THICKER * max(
        thickness(shape), thickness(other)
    )
