"""Which frames are chosen: those that fit, those that change, and those that stand apart."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.video.candidates import SelectedCandidate
from bot.video.selection import select
from tests.helpers.frame_candidates import candidate, each

if TYPE_CHECKING:
    from bot.video.candidates import Candidate


def places(candidates: list[Candidate], count: int, *fitting: int) -> list[int]:
    """Choose frames where these fit, and no others."""
    scores = [1.0 if place in fitting else 0.0 for place in range(len(candidates))]
    return [pick.place for pick in select(candidates, scores, count)]


def test_frames_that_fit_come_first_and_in_order_of_time() -> None:
    assert places(each(20), 3, 17, 2, 9) == [2, 9, 17]
    assert set(places(each(20), 5, 17, 2)) > {2, 17}


def test_each_pick_tells_how_well_it_fits() -> None:
    assert select(each(3), [0.2, 0.51239, 0.5], 3) == [
        SelectedCandidate(0, 0.2, fits=False),
        SelectedCandidate(1, 0.512, fits=True),
        SelectedCandidate(2, 0.5, fits=True),
    ]


def test_where_nothing_fits_frames_are_spread() -> None:
    numbers = places(each(60), 6)
    gaps = [after - before for before, after in itertools.pairwise(numbers)]
    assert min(gaps) >= 8
    assert max(gaps) <= 14
    assert numbers[0] < 10
    assert numbers[-1] >= 50


def test_frames_that_fit_are_spread_as_well() -> None:
    assert places(each(40), 2, *range(10, 14), 30) == [10, 30]


def test_where_nothing_fits_changes_come_first() -> None:
    frames = each(30)
    frames[13] = candidate(13.0, "red", "blue", change=0.6)
    frames[21] = candidate(21.0, "blue", "red", change=0.5)
    assert {13, 21} <= set(places(frames, 4))


def test_what_fits_comes_before_what_changes() -> None:
    frames = [*each(10), candidate(10.0, "red", change=1.0)]
    assert places(frames, 1, 4) == [4]


@pytest.mark.parametrize("fitting", [(), tuple(range(12))])
def test_what_looks_alike_is_not_chosen_while_there_is_something_else(
    fitting: tuple[int, ...],
) -> None:
    colours = ["red", "green", "blue"]
    frames = [candidate(float(i), colours[i] if i < 3 else "grey") for i in range(12)]
    numbers = places(frames, 4, *fitting)
    assert {frames[place].mark for place in numbers} == {frame.mark for frame in frames}


def test_blurred_frames_are_passed_over() -> None:
    frames = each(6)
    blurred = [candidate(f.at, "red", "grey", sharpness=5.0) if i == 2 else f
               for i, f in enumerate(frames)]  # fmt: skip
    assert places(frames, 1, 2, 3) == [2]
    assert places(blurred, 1, 2, 3) == [3]


def test_no_more_are_chosen_than_there_are() -> None:
    assert places(each(3), 10) == [0, 1, 2]
    assert places(each(3), 0) == []
    assert places([], 10) == []
    assert places([candidate(5.0)], 10) == [0]


def test_frames_of_one_moment_can_be_chosen() -> None:
    assert places([candidate(1.0, "red"), candidate(1.0, "blue")], 2) == [0, 1]


def test_frames_without_sharpness_can_be_chosen() -> None:
    assert places([candidate(float(i), sharpness=0.0) for i in range(3)], 2, 2) == [0, 2]


moments = st.floats(0, 180)
candidates = st.lists(
    st.builds(
        lambda at, colour, change, sharp: candidate(at, colour, change=change, sharpness=sharp),
        moments,
        st.sampled_from(["red", "green", "grey", "black"]),
        st.floats(0, 1),
        st.floats(0, 1e4),
    ),
    max_size=8,
).map(lambda them: sorted(them, key=lambda one: one.at))


@given(candidates, st.integers(0, 12), st.randoms(use_true_random=False))
def test_as_many_are_chosen_as_wanted_each_once(
    frames: list[Candidate], count: int, random: object
) -> None:
    scores = [random.random() for _ in frames]  # type: ignore[attr-defined]
    picks = select(frames, scores, count)
    assert len(picks) == min(count, len(frames))
    assert [pick.place for pick in picks] == sorted({pick.place for pick in picks})
    assert all(pick.score == round(scores[pick.place], 3) for pick in picks)
