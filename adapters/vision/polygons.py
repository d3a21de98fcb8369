"""Shapes in pictures: corners in pixels, what they share, and how they become polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.domain.sightings import Polygon

Corners = NDArray[np.float32]
"""Four corners in pixels, clockwise from the top left, as an array of 4 x 2."""
Point = tuple[float, float]


def rectangle(left: float, top: float, right: float, bottom: float) -> Corners:
    """Make the corners of an upright rectangle."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def polygon(corners: Iterable[Iterable[float]], width: int, height: int) -> Polygon:
    """Turn corners in pixels into fractions 0..1 of a picture."""
    return tuple((_fraction(x / width), _fraction(y / height)) for x, y in corners)


def corners(polygon: Polygon, width: int, height: int) -> Corners:
    """Turn fractions of a picture into corners in pixels."""
    return np.array([(x * width, y * height) for x, y in polygon], np.float32)


def _fraction(value: float) -> float:
    return round(min(1.0, max(0.0, float(value))), 5)


def area(shape: Corners) -> float:
    """Tell how many pixels a shape covers."""
    return float(cv2.contourArea(shape))


def shared(one: Corners, other: Corners) -> float:
    """Tell how many pixels two convex shapes share."""
    if _apart(one, other):
        return 0.0
    left = [(float(x), float(y)) for x, y in one]
    edges = zip(other.tolist(), np.roll(other, -1, axis=0).tolist(), strict=True)
    for (x, y), (to_x, to_y) in edges:
        left = _clipped(left, [((to_x - x) * (b - y) - (to_y - y) * (a - x)) for a, b in left])
    return _enclosed(left)


def _clipped(points: list[Point], sides: list[float]) -> list[Point]:
    """Keep what of a polygon is on the inner side of a line, by Sutherland and Hodgman.

    OpenCV's own `intersectConvexConvex` fails where edges nearly coincide.
    """
    kept: list[Point] = []
    for place, (point, side) in enumerate(zip(points, sides, strict=True)):
        before, side_before = points[place - 1], sides[place - 1]
        if (side >= 0) != (side_before >= 0):
            way = side_before / (side_before - side)
            kept.append(
                (
                    before[0] + way * (point[0] - before[0]),
                    before[1] + way * (point[1] - before[1]),
                )
            )
        if side >= 0:
            kept.append(point)
    return kept


def _enclosed(points: list[Point]) -> float:
    """Tell the area of a polygon, by the shoelace formula."""
    ends = zip(points, points[1:] + points[:1], strict=True)
    return abs(sum(x * to_y - to_x * y for (x, y), (to_x, to_y) in ends)) / 2


def _apart(one: Corners, other: Corners) -> bool:
    """Tell quickly, by the upright boxes around them, that two shapes share nothing."""
    return bool((one.max(axis=0) <= other.min(axis=0)).any() or (other.max(0) <= one.min(0)).any())


def cover(part: Corners, whole: Corners) -> float:
    """Tell what share 0..1 of the first shape lies in the second."""
    return shared(part, whole) / max(area(part), 1.0)


def overlap(one: Corners, other: Corners) -> float:
    """Tell what share 0..1 of the smaller of two shapes lies in the other."""
    return shared(one, other) / max(min(area(one), area(other)), 1.0)


def union_share(one: Corners, other: Corners) -> float:
    """Tell what share 0..1 of all that two shapes cover both cover (IoU)."""
    both = shared(one, other)
    return both / max(area(one) + area(other) - both, 1.0)


def around(*shapes: Corners) -> Corners:
    """Make the smallest leaning rectangle around shapes, its corners in the order of the first."""
    found = cv2.boxPoints(cv2.minAreaRect(np.concatenate(shapes)))
    distances = [float(np.linalg.norm(np.roll(found, -by, 0) - shapes[0])) for by in range(4)]
    ordered: Corners = np.roll(found, -int(np.argmin(distances)), 0).astype(np.float32)
    return ordered


def thickness(shape: Corners) -> float:
    """Measure a leaning rectangle along its shorter side, which is a line's height."""
    return float(min(cv2.minAreaRect(shape)[1]))


def sides(shape: Corners) -> tuple[float, float]:
    """Measure the width and height of a shape, each the mean of two sides."""
    steps = np.linalg.norm(np.roll(shape, -1, axis=0) - shape, axis=1)
    return float(steps[0] + steps[2]) / 2, float(steps[1] + steps[3]) / 2


def inner(shape: Corners, across: tuple[float, float], down: tuple[float, float]) -> Corners:
    """Take a part of a shape: from what share 0..1 to what of its width, and of its height."""
    (left, right), (top, bottom) = across, down
    x, y = np.array([left, right, right, left]), np.array([top, top, bottom, bottom])
    weights = np.stack([(1 - x) * (1 - y), x * (1 - y), x * y, (1 - x) * y], axis=1)
    part: Corners = (weights @ shape).astype(np.float32)
    return part
