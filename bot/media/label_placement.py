"""Where labels go on a picture: beside what they name, and over nothing that matters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Corners = NDArray[np.float32]
"""Corners of a polygon in pixels, as an array of n x 2."""

RINGS = 5
"""How many times its own height a label may move away from its target."""

# Costs of a place, in the unit of a label's height of distance.
ON_LABEL = 100.0
ON_OTHER = (3.0, 6.0)
"""For the share of the label that lies on another target, and for that of the target below it."""
ON_OWN = (3.0, 6.0)
LATER = 0.01
"""For each candidate before it: of two equal places, the first wins."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """An upright rectangle in pixels."""

    left: float
    top: float
    width: float
    height: float

    @property
    def corners(self) -> Corners:
        """The corners, clockwise from the top left."""
        right, bottom = self.left + self.width, self.top + self.height
        points = [(self.left, self.top), (right, self.top), (right, bottom), (self.left, bottom)]
        return np.array(points, np.float32)

    @property
    def centre(self) -> tuple[float, float]:
        """The middle."""
        return self.left + self.width / 2, self.top + self.height / 2

    @property
    def area(self) -> float:
        """The pixels it covers."""
        return self.width * self.height

    def overlap(self, other: Rectangle) -> float:
        """Return how many pixels it shares with another."""
        wide = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        high = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        return max(0.0, wide) * max(0.0, high)


@dataclass(frozen=True, slots=True)
class _Target:
    """The convex hull of a polygon, the upright rectangle around it, and its area in pixels."""

    hull: Corners
    bounds: Rectangle
    area: float

    def overlap(self, spot: Rectangle) -> float:
        """Return how many pixels it shares with a spot."""
        if not self.bounds.overlap(spot):
            return 0.0
        return float(cv2.intersectConvexConvex(spot.corners, self.hull)[0])

    def distance(self, spot: Rectangle) -> float:
        """Return how far the middle of a spot is from its edge in pixels; 0 inside."""
        return max(0.0, -float(cv2.pointPolygonTest(self.hull, spot.centre, measureDist=True)))


def place_labels(
    polygons: Sequence[Corners],
    sizes: Sequence[tuple[float, float]],
    frame: tuple[float, float],
    gap: float,
) -> list[Rectangle]:
    """Return a spot for the label of each polygon, `gap` pixels from it or farther.

    `sizes` are the widths and heights of the labels, `frame` that of the picture, which no label
    leaves. Spots above, below, beside and inside are tried, then spots farther off. The cheapest
    wins; small targets choose first, as they have the least room.
    """
    targets = [_target(polygon) for polygon in polygons]
    spots: dict[int, Rectangle] = {}
    for at in sorted(range(len(targets)), key=lambda at: targets[at].area):
        candidates = _candidates(targets[at].bounds, sizes[at], frame, gap)
        spots[at] = _cheapest(candidates, targets[at], targets, list(spots.values()))
    return [spots[at] for at in range(len(targets))]


def _cheapest(
    candidates: Iterable[Rectangle],
    own: _Target,
    targets: Sequence[_Target],
    labels: Sequence[Rectangle],
) -> Rectangle:
    """Return the spot that covers least and is not far off."""
    best, least = Rectangle(0, 0, 0, 0), math.inf
    for order, spot in enumerate(candidates):
        cost = LATER * order + max(0.0, own.distance(spot) - spot.height) / spot.height
        if cost < least:
            cost += ON_LABEL * sum(spot.overlap(other) > 0 for other in labels)
            cost += sum(_covering(spot, target, own) for target in targets)
            best, least = (spot, cost) if cost < least else (best, least)
    return best


def _covering(spot: Rectangle, target: _Target, own: _Target) -> float:
    """Return the cost of a spot that lies on a target."""
    pixels = target.overlap(spot)
    label, under = ON_OWN if target is own else ON_OTHER
    return label * pixels / spot.area + under * pixels / target.area


def nearest_point(target: Corners, point: tuple[float, float]) -> tuple[float, float]:
    """Return the point of a polygon's outline that is nearest to another point."""
    goal = np.array(point, np.float64)
    starts = target.astype(np.float64)
    sides = np.roll(starts, -1, axis=0) - starts
    lengths = np.maximum((sides**2).sum(axis=1), 1e-9)
    along = np.clip(((goal - starts) * sides).sum(axis=1) / lengths, 0, 1)
    points = starts + sides * along[:, None]
    best = points[((points - goal) ** 2).sum(axis=1).argmin()]
    return float(best[0]), float(best[1])


def _target(polygon: Corners) -> _Target:
    """Return the hull of a polygon, at least a pixel wide and high."""
    (left, top), (right, bottom) = polygon.min(axis=0).tolist(), polygon.max(axis=0).tolist()
    bounds = Rectangle(left, top, max(right - left, 1.0), max(bottom - top, 1.0))
    hull: Corners = cv2.convexHull(polygon).reshape(-1, 2)
    area = float(cv2.contourArea(hull))
    return (
        _Target(hull, bounds, area) if area >= 1 else _Target(bounds.corners, bounds, bounds.area)
    )


def _candidates(
    bounds: Rectangle, size: tuple[float, float], frame: tuple[float, float], gap: float
) -> Iterator[Rectangle]:
    """Yield spots around a target, then in its corners, then farther and farther off."""
    wide, high = size
    left, top = bounds.left, bounds.top
    right, bottom = left + bounds.width, top + bounds.height
    across = (left, (left + right - wide) / 2, right - wide)
    down = (top, (top + bottom - high) / 2, bottom - high)
    inside = product((left + gap, right - gap - wide), (top + gap, bottom - gap - high))
    for ring in range(RINGS + 1):
        off = gap + ring * high
        above_below = (top - off - high, bottom + off)
        beside = (right + off, left - off - wide)
        nooks = [*product(beside, above_below), *([] if ring else inside)]
        for x, y in [*product(across, above_below), *product(beside, down), *nooks]:
            yield Rectangle(_within(x, wide, frame[0]), _within(y, high, frame[1]), wide, high)


def _within(start: float, length: float, room: float) -> float:
    return max(0.0, min(start, room - length))
