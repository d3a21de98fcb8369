"""What shapes share, and how corners become polygons."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.vision.polygons import (
    area,
    corners,
    coverage,
    enclosing_rectangle,
    inner,
    intersection_area,
    iou,
    overlap,
    polygon,
    rectangle,
    sides,
    thickness,
)

places = st.integers(0, 60)
boxes = st.tuples(places, places, st.integers(1, 40), st.integers(1, 40))


def leaning(box: tuple[int, int, int, int], degrees: float) -> np.ndarray:
    left, top, wide, high = box
    shape = rectangle(left, top, left + wide, top + high)
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return (shape @ turn.T).astype(np.float32)


@given(boxes, boxes, st.floats(-180, 180))
def test_upright_boxes_share_what_they_do_however_both_are_turned(
    one: tuple[int, int, int, int], other: tuple[int, int, int, int], degrees: float
) -> None:
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    expected = max(0, across) * max(0, down)
    found = intersection_area(leaning(one, degrees), leaning(other, degrees))
    assert found == pytest.approx(expected, abs=0.05)


@given(boxes, st.floats(-180, 180))
def test_a_shape_shares_all_with_itself(box: tuple[int, int, int, int], degrees: float) -> None:
    shape = leaning(box, degrees)
    assert intersection_area(shape, shape) == pytest.approx(area(shape), rel=1e-3)
    assert iou(shape, shape) == pytest.approx(1, abs=0.01)


def test_corners_whose_edges_cross_are_taken_for_their_convex_hull() -> None:
    crossing = rectangle(0, 0, 40, 10)[[0, 2, 1, 3]]
    assert intersection_area(crossing, rectangle(0, 0, 30, 9)) == pytest.approx(270)


def test_shares_are_of_the_part_the_smaller_and_the_union() -> None:
    small, large = rectangle(0, 0, 10, 10), rectangle(5, 0, 45, 10)
    assert coverage(small, large) == 0.5
    assert coverage(large, small) == 0.125
    assert overlap(large, small) == 0.5
    assert iou(small, large) == pytest.approx(50 / 450)


def test_corners_become_fractions_within_the_picture_and_back() -> None:
    shape = rectangle(-3, 20, 50, 220)
    fractions = polygon(shape, 100, 200)
    assert fractions == ((0.0, 0.1), (0.5, 0.1), (0.5, 1.0), (0.0, 1.0))
    assert (corners(fractions, 100, 200) == rectangle(0, 20, 50, 200)).all()


def test_a_rectangle_around_shapes_keeps_the_order_of_corners() -> None:
    made = enclosing_rectangle(rectangle(0, 0, 10, 4), rectangle(8, 0, 30, 4))
    assert made == pytest.approx(rectangle(0, 0, 30, 4), abs=0.01)
    assert thickness(made) == pytest.approx(4)


@given(boxes, st.floats(-180, 180))
def test_sides_are_measured_along_a_shape(box: tuple[int, int, int, int], degrees: float) -> None:
    assert sides(leaning(box, degrees)) == pytest.approx(box[2:], abs=0.01)


def test_a_part_of_a_shape_leans_as_it_does() -> None:
    part = inner(leaning((0, 0, 100, 20), 30), (0.1, 0.6), (0.25, 1.0))
    assert part == pytest.approx(leaning((10, 5, 50, 15), 30), abs=0.01)
