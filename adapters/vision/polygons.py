"""Quadrilaterals in pictures: corners in pixels, overlaps, and conversion to polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import GEOSException

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.domain.sightings import Polygon

Corners = NDArray[np.float32]
"""Four corners in pixels, clockwise from the top left, as an array of 4 x 2."""


def rectangle(left: float, top: float, right: float, bottom: float) -> Corners:
    """Return the corners of an upright rectangle."""
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
    """Return how many pixels a shape covers."""
    return float(cv2.contourArea(shape))


def intersection_area(one: Corners, other: Corners) -> float:
    """Return how many pixels two convex shapes share."""
    if _apart(one, other):
        return 0.0
    first, second = shapely.polygons(np.array([one, other]))
    try:
        return float(first.intersection(second).area)
    except GEOSException:
        # GEOS refuses corners whose edges cross; a convex hull has none.
        return float(first.convex_hull.intersection(second.convex_hull).area)


def _apart(one: Corners, other: Corners) -> bool:
    """Return whether even the upright boxes around two shapes share nothing: the quick check."""
    return bool((one.max(axis=0) <= other.min(axis=0)).any() or (other.max(0) <= one.min(0)).any())


def coverage(part: Corners, whole: Corners) -> float:
    """Return what share 0..1 of the first shape lies in the second."""
    return intersection_area(part, whole) / max(area(part), 1.0)


def overlap(one: Corners, other: Corners) -> float:
    """Return what share 0..1 of the smaller of two shapes lies in the other."""
    return intersection_area(one, other) / max(min(area(one), area(other)), 1.0)


def iou(one: Corners, other: Corners) -> float:
    """Return the area of the intersection of two shapes by that of their union, 0..1 (IoU)."""
    both = intersection_area(one, other)
    return both / max(area(one) + area(other) - both, 1.0)


def enclosing_rectangle(*shapes: Corners) -> Corners:
    """Return the smallest rotated rectangle around shapes; its corners begin as the first's do."""
    box = cv2.boxPoints(cv2.minAreaRect(np.concatenate(shapes)))
    distances = [float(np.linalg.norm(np.roll(box, -by, 0) - shapes[0])) for by in range(4)]
    rectangle: Corners = np.roll(box, -int(np.argmin(distances)), 0).astype(np.float32)
    return rectangle


def thickness(shape: Corners) -> float:
    """Return the shorter side of a rotated rectangle: the height of a line of text, in pixels."""
    return float(min(cv2.minAreaRect(shape)[1]))


def sides(shape: Corners) -> tuple[float, float]:
    """Return the width and height of a shape in pixels, each the mean of two sides."""
    steps = np.linalg.norm(np.roll(shape, -1, axis=0) - shape, axis=1)
    return float(steps[0] + steps[2]) / 2, float(steps[1] + steps[3]) / 2


def inner(shape: Corners, across: tuple[float, float], down: tuple[float, float]) -> Corners:
    """Return a part of a shape: from one share to another of its width and of its height, 0..1."""
    (left, right), (top, bottom) = across, down
    x, y = np.array([left, right, right, left]), np.array([top, top, bottom, bottom])
    weights = np.stack([(1 - x) * (1 - y), x * (1 - y), x * y, (1 - x) * y], axis=1)
    part: Corners = (weights @ shape).astype(np.float32)
    return part
