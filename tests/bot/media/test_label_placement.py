"""Where numbers stand: beside their targets, on nothing else, apart."""

from __future__ import annotations

import random
from itertools import combinations

import cv2
import numpy as np
import pytest

from bot.media.label_placement import Corners, Rectangle, nearest_point, place_labels

FRAME = (1000.0, 700.0)
SIZE = (40.0, 40.0)
GAP = 8.0


def box(left: float, top: float, width: float, height: float) -> Corners:
    return Rectangle(left, top, width, height).corners


def placed(*targets: Corners) -> list[Rectangle]:
    return place_labels(targets, [SIZE] * len(targets), FRAME, GAP)


def under(spot: Rectangle, target: Corners) -> float:
    """How many pixels of a target lie under a label."""
    return float(cv2.intersectConvexConvex(spot.corners, target)[0])


def within_frame(spot: Rectangle) -> bool:
    return 0 <= spot.left <= FRAME[0] - spot.width and 0 <= spot.top <= FRAME[1] - spot.height


@pytest.mark.parametrize(
    ("target", "where"),
    [
        (box(400, 300, 200, 100), (400, 252)),
        (box(400, 10, 200, 100), (400, 118)),
        (box(400, 0, 200, 700), (608, 0)),
        (box(700, 0, 300, 700), (652, 0)),
        (box(0, 0, 1000, 700), (0, 0)),
    ],
    ids=["above", "below", "right", "left", "corner"],
)
def test_a_label_stands_at_the_first_place_with_room(
    target: Corners, where: tuple[int, int]
) -> None:
    [spot] = placed(target)
    assert (spot.left, spot.top) == where


def test_a_label_avoids_other_targets() -> None:
    low, high = box(400, 300, 200, 100), box(380, 180, 240, 115)
    spots = placed(low, high)
    assert [under(spot, target) for spot in spots for target in (low, high)] == [0, 0, 0, 0]


def test_labels_of_one_target_move_apart() -> None:
    same = [box(480, 330, 40, 40)] * 9
    spots = placed(*same)
    assert all(one.overlap(other) == 0 for one, other in combinations(spots, 2))
    assert all(under(spot, same[0]) == 0 for spot in spots)


def test_a_leaning_target_leaves_the_corners_of_its_bounds_to_labels() -> None:
    leaning = np.array([(300, 300), (600, 100), (620, 130), (320, 330)], np.float32)
    [spot] = placed(leaning)
    assert under(spot, leaning) == 0
    assert cv2.pointPolygonTest(leaning, spot.centre, measureDist=True) > -80


@pytest.mark.parametrize("seed", range(10))
def test_twenty_labels_are_apart_and_near(seed: int) -> None:
    rng = random.Random(seed)
    targets = [
        box(rng.uniform(0, 850), rng.uniform(0, 550), rng.uniform(5, 150), rng.uniform(5, 150))
        for _ in range(20)
    ]
    spots = placed(*targets)
    assert all(map(within_frame, spots))
    assert all(one.overlap(other) == 0 for one, other in combinations(spots, 2))
    for spot, target in zip(spots, targets, strict=True):
        assert cv2.pointPolygonTest(target, spot.centre, measureDist=True) > -6 * SIZE[1]
    overlaps = [under(spot, target) > 0 for spot in spots for target in targets]
    assert sum(overlaps) <= 4


def test_a_point_and_a_line_have_labels_too() -> None:
    spots = placed(box(500, 300, 0, 0), box(100, 600, 300, 0))
    assert [(spot.left, spot.top) for spot in spots] == [(500, 252), (100, 552)]


def test_a_frame_that_is_too_low_still_has_the_label_at_its_top() -> None:
    [spot] = place_labels([box(300, 2, 100, 3)], [SIZE], (1000.0, 8.0), GAP)
    assert spot.top == 0


def test_the_nearest_point_of_an_outline() -> None:
    target = box(100, 100, 200, 100)
    assert nearest_point(target, (200, 0)) == (200, 100)
    assert nearest_point(target, (400, 400)) == (300, 200)
    assert nearest_point(box(5, 5, 0, 0), (9, 9)) == (5, 5)
