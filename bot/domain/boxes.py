"""Boxes as models give them: corners on a grid of 0..999 across the upright picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.sightings import Polygon

GRID = 999
"""The last coordinate, left to right and top to bottom; the first is 0."""
TOLERANCE = 50
"""How far beyond the picture a side is moved back; one farther out was meant in other units."""
MAX_SHARE = 0.95
"""A box over more than this share of a picture points at nothing."""

SHAPE = "A box is four numbers from 0 to 999: [left, top, right, bottom]."
BEYOND = (
    "{value:g} is not on the grid: coordinates run from 0 to 999 across the whole picture, "
    "whatever its size in pixels."
)
OUTSIDE = "The box lies outside the picture: its coordinates run from 0 to 999."
EMPTY = "The box has no area: left and right, and top and bottom, must differ."
HUGE = "The box covers nearly the whole picture. Give the box of the thing itself."
SWAPPED = "Corners were in the wrong order and were swapped."
CLIP_NOTE = "The box reached beyond the picture and was cut at its edge."
FRACTIONS = "The coordinates were taken as fractions of the picture; they run from 0 to 999."


class InvalidBox(ValueError):
    """A box that cannot be used; its text tells the model why, in a plain sentence."""


@dataclass(frozen=True, slots=True)
class Box:
    """An upright box on the grid; `note` tells the model in sentences what was corrected."""

    left: int
    top: int
    right: int
    bottom: int
    note: str = ""

    @property
    def sides(self) -> list[int]:
        """Left, top, right and bottom, as models write them."""
        return [self.left, self.top, self.right, self.bottom]

    @property
    def polygon(self) -> Polygon:
        """The corners as fractions 0..1, clockwise from the top left."""
        left, top, right, bottom = (
            round(side / GRID, 5) for side in (self.left, self.top, self.right, self.bottom)
        )
        return ((left, top), (right, top), (right, bottom), (left, bottom))

    @property
    def share(self) -> float:
        """How much of the picture it covers, 0..1."""
        return (self.right - self.left) * (self.bottom - self.top) / GRID**2


def around(polygon: Polygon) -> Box:
    """Return the smallest box around a polygon, in which a model is told where it is."""
    across = [x * GRID for x, _ in polygon]
    down = [y * GRID for _, y in polygon]
    return Box(
        math.floor(min(across)), math.floor(min(down)), math.ceil(max(across)), math.ceil(max(down))
    )


def read_box(value: object, max_share: float = MAX_SHARE) -> Box:
    """Read `[left, top, right, bottom]` as a model wrote it, corrected where that is safe.

    Swapped corners are put right, fractions taken for what they are, and sides slightly outside
    (by `TOLERANCE`) moved to the edge. `max_share` is the largest share of the picture. Raises
    `InvalidBox`.
    """
    sides, notes = _numbers(value), []
    if max(map(abs, sides)) <= 1 + TOLERANCE / GRID:
        sides = [side * GRID for side in sides]
        notes.append(FRACTIONS)
    left, top, right, bottom = sides
    if left > right or top > bottom:
        left, right = sorted((left, right))
        top, bottom = sorted((top, bottom))
        notes.append(SWAPPED)
    _check_place(left, top, right, bottom)
    if min(sides) < -1 or max(sides) > GRID + 1:
        notes.append(CLIP_NOTE)
    box = Box(
        _on_grid(left), _on_grid(top), _on_grid(right), _on_grid(bottom), note=" ".join(notes)
    )
    if box.share == 0:
        raise InvalidBox(EMPTY)
    if box.share > max_share:
        raise InvalidBox(HUGE)
    return box


def _numbers(value: object) -> Sequence[float]:
    """Return four finite numbers; raises `InvalidBox`."""
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise InvalidBox(SHAPE)
    for side in value:
        if isinstance(side, bool) or not isinstance(side, int | float) or not _is_finite(side):
            raise InvalidBox(SHAPE)
    return value


def _is_finite(side: float) -> bool:
    """Return whether a number is finite and small enough to calculate with."""
    return abs(side) < 1e9  # False for NaN and infinity.


def _on_grid(side: float) -> int:
    """Move a side to the nearest line of the grid."""
    return min(GRID, max(0, round(side)))


def _check_place(left: float, top: float, right: float, bottom: float) -> None:
    """Raise `InvalidBox` for a box that is not, or not nearly, in the picture."""
    for side in (left, top, right, bottom):
        if not -TOLERANCE <= side <= GRID + TOLERANCE:
            raise InvalidBox(BEYOND.format(value=side))
    if left >= GRID or top >= GRID or right <= 0 or bottom <= 0:
        raise InvalidBox(OUTSIDE)
