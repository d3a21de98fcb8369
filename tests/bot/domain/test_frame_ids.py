"""Frames have numbers and names of their own, between which nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.frame_ids import (
    CLOCK,
    LONGEST,
    clock,
    frame_number,
    is_frame,
    label,
    read_clock,
    seconds_of,
    video_of,
)

videos = st.integers(1, 99_999)
milliseconds = st.integers(0, round(LONGEST * 1000))


@given(videos, milliseconds)
def test_a_number_holds_the_video_and_the_millisecond(video: int, at: int) -> None:
    number = frame_number(video, at / 1000)
    assert is_frame(number)
    assert (video_of(number), seconds_of(number)) == (video, at / 1000)


@given(st.lists(st.tuples(videos, milliseconds), max_size=8))
def test_numbers_sort_by_video_and_time(frames: list[tuple[int, int]]) -> None:
    numbers = sorted(frame_number(video, at / 1000) for video, at in frames)
    assert [(video_of(n), round(seconds_of(n) * 1000)) for n in numbers] == sorted(frames)


@pytest.mark.parametrize(("at", "kept"), [(-3.0, 0.0), (1e12, LONGEST), (0.0004, 0.0)])
def test_a_time_that_has_no_number_gets_the_nearest(at: float, kept: float) -> None:
    assert (video_of(frame_number(2, at)), seconds_of(frame_number(2, at))) == (2, kept)


def test_photos_are_no_frames_and_come_first() -> None:
    assert not is_frame(99_999)
    assert video_of(99_999) == 0
    assert sorted([frame_number(1, 0.0), 99_999]) == [99_999, frame_number(1, 0.0)]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0:00.0"),
        (12.4, "0:12.4"),
        (59.949, "0:59.9"),
        (59.96, "1:00.0"),
        (3599.96, "1:00:00.0"),
        (3723.04, "1:02:03.0"),
        (36_000, "10:00:00.0"),
        (-1, "0:00.0"),
    ],
)
def test_times_are_told_to_a_tenth(seconds: float, told: str) -> None:
    assert clock(seconds) == told


@given(st.floats(0, 359_999))
def test_a_time_that_is_told_can_be_read(seconds: float) -> None:
    found = CLOCK.fullmatch(clock(seconds))
    assert found is not None
    assert read_clock(found) == pytest.approx(seconds, abs=0.0501)


@pytest.mark.parametrize(
    ("words", "times"),
    [
        ("at 0:05.", [5]),
        ("(0:05), 1:02:03.5; 12:30", [5, 3723.5, 750]),
        ("0:05-0:10 and 0:20–0:30", [5, 10, 20, 30]),
        ("0:12.4s", [12.4]),
        ("0:12.456", [12.456]),
        ("At 0:05: a car. Then 0:06:", [5, 6]),
        ("ratio 16:9 or 4:3, verse 3:1", []),
        ("1:2:3:4 and 0:12:34:56", []),
        ("0:123 or 0:12.4567", []),
        ("taken 2026-11-23T10:15:30.5+01:00, 5,0:05", []),
        ("在0:05处和1:10之间", [5, 70]),
        ("version 1.0:05", []),
    ],
)
def test_times_are_found_among_words(words: str, times: list[float]) -> None:
    found = [read_clock(time) for time in CLOCK.finditer(words)]
    assert found == pytest.approx(times)


def test_photos_and_frames_have_names() -> None:
    assert label(3) == "P3"
    assert label(frame_number(1, 12.4)) == "V1 0:12.4"
    assert label(frame_number(12, 3723)) == "V12 1:02:03.0"
