"""Boxes of a model: taken, corrected, or refused with a reason."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.boxes import (
    CLIP_NOTE,
    EMPTY,
    FRACTIONS,
    HUGE,
    OUTSIDE,
    SHAPE,
    SWAPPED,
    Box,
    InvalidBox,
    around,
    read_box,
)


@pytest.mark.parametrize(
    ("value", "box"),
    [
        ([100, 200, 300, 400], Box(100, 200, 300, 400)),
        ((100.4, 200.0, 300.0, 400.0), Box(100, 200, 300, 400)),
        ([0, 0, 999, 500], Box(0, 0, 999, 500)),
        ([0, 0, 1000, 500], Box(0, 0, 999, 500)),
        ([500, 10, 501, 900], Box(500, 10, 501, 900)),
        ([300, 400, 100, 200], Box(100, 200, 300, 400, SWAPPED)),
        ([100, 400, 300, 200], Box(100, 200, 300, 400, SWAPPED)),
        ([-20, 10, 300, 1040], Box(0, 10, 300, 999, CLIP_NOTE)),
        ([1040, 10, 300, 500], Box(300, 10, 999, 500, f"{SWAPPED} {CLIP_NOTE}")),
        ([0.1, 0.2, 0.5, 0.75], Box(100, 200, 500, 749, FRACTIONS)),
    ],
)
def test_boxes_are_taken_or_put_right(value: Any, box: Box) -> None:
    assert read_box(value) == box


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([100, 100, 100, 400], EMPTY),
        ([100, 400, 300, 400], EMPTY),
        ([0, 0, 999, 999], HUGE),
        ([5, 5, 995, 995], HUGE),
        ([0, 0, 1, 1], HUGE),
        ([1000, 10, 1040, 300], OUTSIDE),
        ([10, -40, 300, 0], OUTSIDE),
        ([100, 200, 300], SHAPE),
        ([1, 2, 3, 4, 5], SHAPE),
        ("100,200,300,400", SHAPE),
        ({"left": 1}, SHAPE),
        (None, SHAPE),
        ([100, 200, "300", 400], SHAPE),
        ([True, 200, 300, 400], SHAPE),
        ([math.nan, 200, 300, 400], SHAPE),
        ([100, 200, math.inf, 400], SHAPE),
        ([100, 200, 10**400, 400], SHAPE),
        ([[1], [2], [3], [4]], SHAPE),
    ],
)
def test_what_points_at_nothing_is_refused_with_the_reason(value: Any, reason: str) -> None:
    with pytest.raises(InvalidBox, match=re.escape(reason)):
        read_box(value)


def test_pixels_are_refused_by_name() -> None:
    with pytest.raises(
        InvalidBox, match=r"^1840 is not on the grid: coordinates run from 0 to 999"
    ):
        read_box([200, 300, 1840, 900])


def test_a_look_may_take_the_whole_picture() -> None:
    assert read_box([0, 0, 999, 999], max_share=1.0).share == 1.0


def test_the_polygon_is_in_fractions_clockwise_from_the_top_left() -> None:
    polygon = read_box([0, 333, 999, 666]).polygon
    assert polygon == ((0.0, 0.33333), (1.0, 0.33333), (1.0, 0.66667), (0.0, 0.66667))


def test_a_polygon_can_be_told_to_a_model() -> None:
    leaning = ((0.5, 0.1), (0.9, 0.3), (0.8, 0.5), (0.4, 0.3))
    assert around(leaning) == Box(399, 99, 900, 500)


NUMBERS = st.floats() | st.integers() | st.sampled_from([0, 1, 500, 999, 1000, -50, 1049])


@given(st.lists(NUMBERS, min_size=4, max_size=4))
def test_every_box_is_in_the_picture_or_refused(value: list[float]) -> None:
    try:
        box = read_box(value)
    except InvalidBox:
        return
    assert 0 <= box.left < box.right <= 999
    assert 0 <= box.top < box.bottom <= 999
    assert box.share <= 0.95
