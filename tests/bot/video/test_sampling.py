"""Which frames are worth decoding: told by packets of all sizes, in every rhythm."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.media.frames import FrameSpec, FrameTimes
from bot.video.candidates import PlannedFrame
from bot.video.sampling import (
    KEY,
    MIN_GAP,
    SETTLING,
    STRETCH,
    group_by_cost,
    plan_frame,
    plan_frames,
    split_spans,
    thin_out,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALL = ((0.0, 1e9),)
PLENTY = 10**6
"""More frames than any plan decodes."""


def recording(
    seconds: float = 60.0,
    rate: int = 25,
    gop: float = 2.0,
    bumps: Mapping[float, float] | None = None,
    cuts: Sequence[float] = (),
) -> FrameTimes:
    """A recording as an encoder packs it: key frames are large, and what follows them at first.

    At the `bumps` packets are so many times larger; at the `cuts` a key frame comes early.
    """
    at = np.arange(round(seconds * rate)) / rate
    key = np.zeros(len(at), np.bool_)
    for start, end in pairwise([0.0, *cuts, seconds]):
        key[round(start * rate) : round(end * rate) : max(1, round(gop * rate))] = True
    size = np.random.default_rng(1).normal(1000, 60, len(at))
    size[::3] *= 1.5
    for place in np.flatnonzero(key):
        size[place : place + 4] *= 2
    size[key] = 9000
    for moment, times in (bumps or {}).items():
        size[round(moment * rate)] *= times
    return FrameTimes(at, size.astype(np.int64), key)


def changes(plan: Sequence[PlannedFrame]) -> list[float]:
    return [one.spec.at for one in plan if one.change]


ticks_of_any_kind = st.builds(
    lambda gaps, sizes, keys: FrameTimes(
        np.cumsum([0, *gaps]) / 1000,
        np.array(sizes[: len(gaps) + 1], np.int64),
        np.array([True, *keys][: len(gaps) + 1], np.bool_),
    ),
    st.lists(st.integers(1, 900), max_size=80),
    st.lists(st.integers(1, 100_000), min_size=81, max_size=81),
    st.lists(st.booleans(), min_size=80, max_size=80),
)


@given(
    ticks=ticks_of_any_kind,
    spans=st.lists(
        st.tuples(st.floats(0, 60), st.floats(0.01, 60)).map(lambda s: (s[0], s[0] + s[1])),
        min_size=1,
        max_size=3,
    ),
    most=st.integers(4, 60),
)
def test_a_plan_is_of_frames_that_there_are_in_order_and_within_bounds(
    ticks: FrameTimes, spans: list[tuple[float, float]], most: int
) -> None:
    plan = plan_frames(ticks, spans, most, PLENTY)
    times = [one.spec.at for one in plan]
    assert len(times) <= most
    assert times == sorted(set(times))
    assert set(times) <= set(ticks.at.tolist())
    assert all(any(start <= at < end for start, end in spans) for at in times)
    there = {at for at in ticks.at.tolist() if any(a <= at < b for a, b in spans)}
    assert bool(times) is bool(there)
    assert all(one.spec.key <= one.spec.at and one.cost >= 1 for one in plan)


@pytest.mark.parametrize("gop", [0.5, 2.0, 10.0, 60.0])
@pytest.mark.parametrize("rate", [5, 25])
def test_no_long_stretch_is_left_out(gop: float, rate: int) -> None:
    ticks = recording(180.0, rate, gop)
    times = [one.spec.at for one in plan_frames(ticks, ALL, 40, PLENTY)]
    assert len(times) >= 15
    assert times[0] == 0.0
    assert times[-1] > 180 - 15
    assert max(b - a for a, b in pairwise(times)) < 18


def test_key_frames_come_first_as_they_are_cheap() -> None:
    plan = plan_frames(recording(60.0, gop=2.0), ALL, 40, PLENTY)
    assert sum(one.cost == KEY for one in plan) >= 26
    assert {one.spec.at for one in plan if one.cost == KEY} <= {2.0 * i for i in range(30)}


def test_where_key_frames_are_rare_others_are_decoded_between_them() -> None:
    plan = plan_frames(recording(60.0, gop=30.0), ALL, 40, PLENTY)
    assert 12 <= len(plan) <= 40
    assert all(one.spec.key in {0.0, 30.0} for one in plan)


def test_key_frames_at_the_beginning_alone_do_not_cost_the_end() -> None:
    ticks = recording(180.0, gop=180.0, bumps={10.0 + i * 11: 6 for i in range(15)})
    ticks.key[:30] = True
    plan = plan_frames(ticks, ALL, 40, PLENTY)
    assert len(plan) <= 40
    times = [one.spec.at for one in plan]
    assert times[-1] > 165
    assert max(b - a for a, b in pairwise(times)) < 15
    assert len(changes(plan)) == 14


@pytest.mark.parametrize("moment", [7.4, 30.0 - 1 / 25, 45.48])
def test_a_packet_larger_than_usual_is_a_change(moment: float) -> None:
    [change] = [
        one for one in plan_frames(recording(bumps={moment: 6}), ALL, 40, PLENTY) if one.change
    ]
    assert change.spec.at == pytest.approx(moment, abs=0.03)
    assert change.spec.until == pytest.approx(change.spec.at + SETTLING)
    assert change.spec.key == pytest.approx(moment // 2 * 2)
    assert change.cost == round((change.spec.at - change.spec.key) * 25) + KEY
    assert 0.3 < change.change <= 1.0


def test_no_change_is_told_where_all_is_as_usual() -> None:
    assert changes(plan_frames(recording(), ALL, 40, PLENTY)) == []
    assert changes(plan_frames(recording(gop=10.0, rate=30), ALL, 40, PLENTY)) == []


def test_packets_just_after_a_key_frame_are_no_change() -> None:
    assert changes(plan_frames(recording(bumps={8.08: 4}), ALL, 40, PLENTY)) == []


def test_changes_at_one_moment_are_one() -> None:
    plan = plan_frames(recording(bumps={7.4: 6, 7.52: 8, 7.64: 6, 9.4: 5}), ALL, 40, PLENTY)
    assert changes(plan) == pytest.approx([7.52, 9.4], abs=0.001)
    assert changes(plan)[1] - changes(plan)[0] >= MIN_GAP


def test_the_largest_changes_are_kept_where_there_are_too_many() -> None:
    small = {0.4 + 2 * i: 3.0 for i in range(30)}
    large = {5.4: 12.0, 25.4: 12.0, 47.4: 12.0}
    moments = changes(plan_frames(recording(bumps=small | large), ALL, 20, PLENTY))
    assert len(moments) == 7
    assert set(moments) >= {5.4, 25.4, 47.4}


@pytest.mark.parametrize(
    ("spare", "afforded"),
    [
        (9, []),
        (25, [20.4, 20.8]),
        (75, [20.4, 20.8, 41.92]),
        (348, [13.92]),
        (368, [13.92, 20.4, 20.8]),
        (PLENTY, [13.92, 20.4, 20.8, 41.92]),
    ],
)
def test_changes_that_cost_more_than_may_be_spent_are_passed_over(
    spare: int, afforded: list[float]
) -> None:
    ticks = recording(gop=20.0, bumps={13.92: 9.0, 20.4: 8.0, 20.8: 7.0, 41.92: 6.0})
    assert changes(plan_frames(ticks, ALL, 40, 3 * KEY + spare)) == afforded


def test_key_frames_are_fewer_where_less_may_be_spent() -> None:
    ticks = recording(180.0)
    counts = [len(plan_frames(ticks, ALL, 40, budget)) for budget in (0, 200, 250, PLENTY)]
    assert counts == [16, 23, 29, 40]


def test_a_key_frame_out_of_turn_is_a_change_of_scene() -> None:
    plan = plan_frames(recording(cuts=(13.2, 41.48)), ALL, 20, PLENTY)
    assert changes(plan) == pytest.approx([13.2, 41.48])
    assert all(one.change == 0.5 and one.cost == KEY for one in plan if one.change)


def test_where_every_frame_is_a_key_frame_they_are_spread() -> None:
    plan = plan_frames(recording(gop=0.0), ALL, 40, PLENTY)
    times = [one.spec.at for one in plan]
    assert len(times) == 40
    assert max(b - a for a, b in pairwise(times)) < 2.0
    assert all(one.cost == KEY for one in plan)


def test_stretches_share_by_their_length() -> None:
    plan = plan_frames(recording(180.0), ((0.0, 30.0), (90.0, 180.0)), 40, PLENTY)
    early = [one for one in plan if one.spec.at < 30.0]
    assert 6 <= len(early) <= 12
    assert not [one for one in plan if 30.0 <= one.spec.at < 90.0]
    assert plan_frames(recording(), ((70.0, 80.0),), 40, PLENTY) == ()


def test_one_frame_is_planned() -> None:
    one = FrameTimes(np.array([0.0]), np.array([500]), np.array([True]))
    assert plan_frames(one, ((0.0, 1.0),), 40, PLENTY) == (
        PlannedFrame(FrameSpec(0.0, 0.0, 0.0), KEY),
    )


def test_a_very_long_list_is_planned_quickly() -> None:
    ticks = recording(3000.0, 30, 2.0)
    assert len(plan_frames(ticks, ((0.0, 180.0),), 40, PLENTY)) >= 26


def test_a_frame_is_planned_from_its_key_frame_on() -> None:
    ticks = recording(10.0, 30, 2.0)
    assert plan_frame(ticks, 5.0) == PlannedFrame(FrameSpec(5.0, 0.0, 4.0), KEY + 30)
    assert plan_frame(ticks, 4.0).cost == KEY
    assert plan_frame(ticks, 99.0).spec.key == 8.0


def test_a_time_that_was_rounded_is_of_its_key_frame() -> None:
    ticks = FrameTimes(np.arange(90) / 30, np.full(90, 9), np.arange(90) % 10 == 0)
    for number in range(0, 90, 10):
        plan = plan_frame(ticks, round(number / 30, 3))
        assert (plan.cost, plan.spec.key) == (KEY, number / 30)


def test_without_a_key_frame_decoding_begins_at_the_first() -> None:
    ticks = FrameTimes(np.arange(9) / 25, np.full(9, 9), np.zeros(9, np.bool_))
    assert plan_frame(ticks, 0.2) == PlannedFrame(FrameSpec(0.2, 0.0, 0.0), KEY + 5)


@given(
    keys=st.lists(st.integers(0, 40), min_size=1, max_size=40).map(sorted),
    costs=st.lists(st.integers(1, 120), min_size=40, max_size=40),
    worth=st.integers(1, 100),
)
def test_frames_after_one_key_frame_stay_together(
    keys: list[int], costs: list[int], worth: int
) -> None:
    plan = [
        PlannedFrame(FrameSpec(key + i / 1000, 0.0, float(key)), cost)
        for i, (key, cost) in enumerate(zip(keys, costs, strict=False))
    ]
    parts = group_by_cost(plan, worth)
    assert [one for part in parts for one in part] == plan
    ends = [(part[0].spec.key, part[-1].spec.key) for part in parts]
    assert all(last < first for (_, last), (first, _) in pairwise(ends))


def test_parts_are_worth_a_call() -> None:
    keys = [PlannedFrame(FrameSpec(2.0 * i, 0.0, 2.0 * i), 1) for i in range(100)]
    assert [len(part) for part in group_by_cost(keys, 40)] == [40, 40, 20]
    far = [PlannedFrame(FrameSpec(10.0 * i, 0.0, 10.0 * i - 5), 125) for i in range(5)]
    assert [len(part) for part in group_by_cost(far, 40)] == [1] * 5
    pairs = [
        PlannedFrame(FrameSpec(k + d, 0.0, float(k)), 1 + 25 * d)
        for k in range(0, 40, 4)
        for d in (0, 1)
    ]
    assert [len(part) for part in group_by_cost(pairs, 40)] == [4] * 5
    assert group_by_cost([], 40) == []


def test_a_video_is_watched_in_stretches_that_begin_with_key_frames() -> None:
    ticks = recording(60, gop=2)
    parts = split_spans(ticks, [(0.0, 100.0)])
    assert (parts[0][0], parts[-1][1]) == (0.0, 100.0)
    assert all(end == start for (_, end), (start, _) in pairwise(parts))
    keys = set(ticks.at[ticks.key].tolist())
    assert {start for start, _ in parts} <= keys
    assert all(len(ticks.within(*part).at) >= STRETCH for part in parts[:-1])
    assert len(parts) >= 6


def test_each_stretch_that_is_watched_keeps_its_bounds() -> None:
    ticks = recording(60, gop=2)
    parts = split_spans(ticks, [(3.0, 20.5), (41.0, 42.0), (70.0, 80.0)])
    assert parts[0][0] == 3.0
    assert (20.5, 41.0) not in parts
    assert [end for _, end in parts if end in {20.5, 42.0}] == [20.5, 42.0]
    assert max(start for start, _ in parts) == 41.0


def test_without_key_frames_a_video_is_watched_in_one_go() -> None:
    ticks = recording(60, gop=100)
    assert split_spans(ticks, [(0.0, 100.0)]) == [(0.0, 100.0)]


@given(
    times=st.lists(st.integers(0, 10_000), min_size=1, max_size=80, unique=True).map(sorted),
    most=st.integers(0, 90),
)
def test_times_are_spread_evenly(times: list[int], most: int) -> None:
    thinned_times = thin_out([float(at) for at in times], most)
    assert len(thinned_times) <= most
    assert thinned_times == [at for at, _ in groupby(thinned_times)]
    assert set(thinned_times) <= set(times)
    if len(times) <= most:
        assert thinned_times == times
    elif most > 1:
        assert (thinned_times[0], thinned_times[-1]) == (times[0], times[-1])
        grid = np.linspace(times[0], times[-1], most)
        nearest = [min(abs(at - point) for at in times) for point in grid]
        assert [min(abs(at - point) for at in thinned_times) for point in grid] == pytest.approx(
            nearest
        )
