"""A few frames that stand for many: the most different ones."""

from __future__ import annotations

import random

import numpy as np

from bot.media.frame_marks import choose_varied


def mark(level: int, patch: int | None = None, width: int = 4) -> bytes:
    """A grey mark, perhaps with a patch of another level in it."""
    pixels = np.full((18, 32, 3), level, np.uint8)
    if patch is not None:
        pixels[6:9, 8 : 8 + width] = patch
    return pixels.tobytes()


def test_few_frames_are_all_taken() -> None:
    assert choose_varied([], 3) == []
    assert choose_varied([mark(0)] * 3, 3) == [0, 1, 2]


def test_the_first_and_then_the_farthest_is_taken() -> None:
    marks = [mark(100), mark(104), mark(250), mark(101), mark(20), mark(103)]
    assert choose_varied(marks, 1) == [0]
    assert choose_varied(marks, 2) == [0, 2]
    assert choose_varied(marks, 3) == [0, 2, 4]


def test_something_small_is_told_from_noise_all_over() -> None:
    marks = [mark(100), *(mark(100 + n % 5) for n in range(50)), mark(100, 180), mark(102)]
    assert choose_varied(marks, 2) == [0, 51]


def test_light_on_all_of_a_frame_is_told_as_well_as_something_small() -> None:
    marks = [mark(100)] * 30 + [mark(150)] + [mark(100, 200)] + [mark(100)] * 30
    assert choose_varied(marks, 3) == [0, 30, 31]


def test_a_frame_is_never_taken_twice() -> None:
    assert choose_varied([mark(7)] * 9, 4) == [0, 1, 2, 3]


def test_of_any_marks_so_many_are_taken_in_order() -> None:
    rng = random.Random(4)
    marks = [rng.randbytes(18 * 32 * 3) for _ in range(30)]
    for most in (1, 2, 10, 29, 30, 31):
        places = choose_varied(marks, most)
        assert places == sorted(set(places))
        assert len(places) == min(most, 30)
        assert places[0] == 0
