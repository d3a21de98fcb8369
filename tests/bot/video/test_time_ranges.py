"""Stretches of a video that questions name, and what is looked at of long videos."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.video.time_ranges import named_span, spans_of

CLIP, HOUR = 180.0, 7200.0


@pytest.mark.parametrize(
    ("words", "span"),
    [
        ("from 1:10 to 2:00", (70, 120)),
        ("What happens between 1:10 and 2:00?", (70, 120)),
        ("FROM 1:10 UNTIL 2:00", (70, 120)),
        ("from 1:10 till 2:00", (70, 120)),
        ("from 0:10 through 0:20", (10, 20)),
        ("describe 1:10-2:00", (70, 120)),
        ("1:10 – 2:00?", (70, 120)),
        ("1:10 to 2:00 please", (70, 120)),
        ("from 1:10.5 to 1:20.25", (70.5, 80.25)),
        ("1:10.5-1:20.5", (70.5, 80.5)),
        ("from 70 to 120 seconds", (70, 120)),
        ("from 10s to 20s", (10, 20)),
        ("from 10 to 20 sec", (10, 20)),
        ("between 1 and 2 minutes", (60, 120)),
        ("from 0.5 to 1.5 min", (30, 90)),
        ("from 90 to 2:00", (90, 120)),
        ("from 90s to 2:00", (90, 120)),
        ("from the start to 0:30", (0, 30)),
        ("from the beginning to 1:00", (0, 60)),
        ("the first 30 seconds", (0, 30)),
        ("the first 2 min", (0, 120)),
        ("the first minute", (0, 60)),
        ("the first 0:45", (0, 45)),
        ("the last 30 seconds", (150, 180)),
        ("The last minute?", (120, 180)),
        ("last 1:30", (90, 180)),
        ("after 1:30", (90, 180)),
        ("from 1:30 on", (90, 180)),
        ("from 2 minutes onwards", (120, 180)),
        ("from 0:30 to the end", (30, 180)),
        ("since 1:00", (60, 180)),
        ("before 0:30", (0, 30)),
        ("until 1 minute", (0, 60)),
        ("till 0:20", (0, 20)),
        ("up to 45 seconds", (0, 45)),
        ("from 2:00 to 1:10", (70, 120)),
    ],
)
def test_a_stretch_can_be_named_in_many_ways(words: str, span: tuple[float, float]) -> None:
    assert named_span(words, CLIP) == span


@pytest.mark.parametrize(
    ("words", "span"),
    [
        ("from 2:00 to 9:00", (120, 180)),
        ("the first 5 minutes", (0, 180)),
        ("the last 5 minutes", (0, 180)),
        ("before 1:00:00", (0, 180)),
        ("from 100 to 9999 seconds", (100, 180)),
    ],
)
def test_a_stretch_ends_where_the_video_ends(words: str, span: tuple[float, float]) -> None:
    assert named_span(words, CLIP) == span


def test_hours_are_read() -> None:
    assert named_span("from 1:02:03 to 1:03:00", HOUR) == (3723, 3780)
    assert named_span("after 1:30:00", HOUR) == (5400, HOUR)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "What is this?",
        "from 1999 to 2005",
        "between 1999 and 2005",
        "from 10 to 20",
        "between 10 and 20 people",
        "the first 10 cars and the last 3",
        "before 10 people come",
        "from 2024-10-12 to 2024-11-01",
        "from 10 to 20 metres",
        "from 5:00 to 6:00",
        "after 3:00",
        "from 9999 to 99999 seconds",
        "the first 999999999999999999999 minutes",
        "from 0:00 to 0:00",
        "the first 0 seconds",
        "the last 0 seconds",
        "What happens at 0:05?",
        "a ratio of 16:9 to 4:3",
        "from A to B",
        "last minutes",
        "first second-hand car",
    ],
)
def test_other_words_name_none(words: str) -> None:
    assert named_span(words, CLIP) is None


def test_the_largest_times_that_can_be_written_are_read() -> None:
    assert named_span("from 99:99:98 to 99:99:99", 1e9) == (362_438, 362_439)
    assert named_span("the first 9999 minutes", 1e9) == (0, 599_940)


@given(st.text("0123456789:. -tofrmlasbe,", max_size=40), st.floats(0, 1e5))
def test_whatever_is_written_a_stretch_lies_within_the_video(words: str, seconds: float) -> None:
    span = named_span(words, seconds)
    assert span is None or 0 <= span[0] < span[1] <= seconds


@pytest.mark.parametrize(
    ("words", "spans"),
    [
        ("", ((0, 90), (510, 601))),
        ("from 1:10 to 2:00", ((70, 120),)),
        ("the last minute", ((540, 601),)),
        ("from 1:00 to 9:00", ((60, 150), (450, 540))),
        ("What happens at 5:00?", ((210, 390),)),
        ("What happens at 0:05?", ((0, 180),)),
        ("What happens at 9:59?", ((420, 601),)),
        ("What happens at 10:30?", ((0, 90), (510, 601))),
    ],
)
def test_of_a_long_video_parts_are_looked_at(
    words: str, spans: tuple[tuple[float, float], ...]
) -> None:
    assert spans_of(words, 600, 180) == spans


def test_a_short_video_is_looked_at_as_a_whole() -> None:
    assert spans_of("What happens at 0:05?", 180, 180) == ((0, 181),)
    assert spans_of("", 0, 180) == ((0, 1.001),)


@given(st.sampled_from(["", "at 1:00", "first 30 seconds", "from 0:10 to 9:00"]), st.floats(0, 1e4))
def test_no_more_is_looked_at_than_allowed(words: str, seconds: float) -> None:
    spans = spans_of(words, seconds, 180)
    lengths = [min(end, seconds) - start for start, end in spans]
    assert all(0 <= start < end for start, end in spans)
    assert sum(lengths) <= 180 + 1e-6
    assert spans == tuple(sorted(spans))
