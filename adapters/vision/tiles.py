"""Tiles: overlapping parts of a picture, in which small things are larger."""

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
"""Shapes that overlap by this share of the smaller one are the same."""
THICKER = 1.4
"""How much thicker than its two parts a joined line may be."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a picture of `frame` (width, height), all in pixels."""

    left: int
    top: int
    width: int
    height: int
    frame: tuple[int, int]

    def of(self, pixels: Pixels) -> Pixels:
        """Return the part of the picture."""
        return pixels[self.top : self.top + self.height, self.left : self.left + self.width]

    def placed(self, shape: Corners) -> Corners:
        """Return a shape of the part in pixels of the picture."""
        return shape + np.array([self.left, self.top], np.float32)

    def cuts(self, shape: Corners) -> bool:
        """Return whether an inner edge of the tile cuts a shape, in pixels of the picture."""
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
    """Return a picture as one tile."""
    return Tile(0, 0, width, height, (width, height))


def quarters(width: int, height: int, share: float) -> list[Tile]:
    """Return four tiles in the corners of a picture, each with this share of its sides."""
    wide, high = round(width * share), round(height * share)
    return [
        Tile(left, top, wide, high, (width, height))
        for top in (0, height - high)
        for left in (0, width - wide)
    ]


def tiles_of(width: int, height: int, side: int, overlap: int) -> list[Tile]:
    """Return as few equal tiles of at most `side` pixels as cover a picture, row by row.

    Neighbours share about `overlap` pixels.
    """
    wide, lefts = _starts(width, side, overlap)
    high, tops = _starts(height, side, overlap)
    return [Tile(left, top, wide, high, (width, height)) for top in tops for left in lefts]


def _starts(length: int, side: int, overlap: int) -> tuple[int, list[int]]:
    """Return the length of the tiles along one side of a picture, and where they begin."""
    count = _needed(length, side, overlap)
    part = math.ceil((length + (count - 1) * overlap) / count)
    return part, [round(place * (length - part) / max(1, count - 1)) for place in range(count)]


def _needed(length: float, side: int, overlap: int) -> int:
    return max(1, math.ceil((length - overlap) / (side - overlap)))


def scale_for(width: int, height: int, side: int, overlap: int, most: int) -> float:
    """Return the largest scale, at most 1, at which a picture needs at most `most` tiles."""
    scales = (1 - step / 100 for step in range(100))
    fitting = (
        scale
        for scale in scales
        if _needed(width * scale, side, overlap) * _needed(height * scale, side, overlap) <= most
    )
    return next(fitting, side / max(width, height))


def join_shapes(shapes: Iterable[tuple[Corners, bool]]) -> list[Corners]:
    """Join shapes of the same things; each comes with whether the edge of a tile cuts it.

    Of a shape that two tiles show, the larger one stays. Two cut ones that overlap are the ends of
    one that no tile shows whole.
    """
    pairs: list[tuple[Corners, bool]] = []
    for shape, cut in sorted(shapes, key=_by_wholeness):
        _take(pairs, shape, cut)
    return [shape for shape, _ in pairs]


def _by_wholeness(pair: tuple[Corners, bool]) -> tuple[bool, float]:
    shape, cut = pair
    return cut, -_reach(shape)


def _reach(shape: Corners) -> float:
    """Return the longer side of the upright box around a shape."""
    return float((shape.max(axis=0) - shape.min(axis=0)).max())


def _take(pairs: list[tuple[Corners, bool]], shape: Corners, cut: bool) -> None:
    """Add a shape, or join it with its other end, unless it is part of another."""
    for place, (other, other_cut) in enumerate(pairs):
        if overlap(shape, other) > SAME:
            return
        if cut and other_cut and _continues(shape, other):
            pairs[place] = (enclosing_rectangle(other, shape), True)
            return
    pairs.append((shape, cut))


def _continues(shape: Corners, other: Corners) -> bool:
    """Return whether two shapes are ends of one line: together hardly thicker than either."""
    if not intersection_area(shape, other):
        return False
    return thickness(enclosing_rectangle(shape, other)) < THICKER * max(
        thickness(shape), thickness(other)
    )
