"""Words of an answer matched with what was seen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from bot.domain.frame_ids import frame_number
from bot.domain.sightings import DetectedObject, Sighting, TextLine
from bot.grounding.outlines import MOST, key
from bot.grounding.word_matching import match_words

if TYPE_CHECKING:
    from bot.domain.outlines import Grounding
    from bot.domain.sightings import Polygon


def at(place: int) -> Polygon:
    """A polygon that is told from others by its place."""
    left = place / 1000
    return ((left, 0.1), (left + 0.05, 0.1), (left + 0.05, 0.2), (left, 0.2))


def seen(*things: str, lines: tuple[str, ...] = (), first: int = 0) -> Sighting:
    """Things at 0, 1, … (the first the surest) and lines at 100, 101, …"""
    return Sighting(
        tuple(TextLine(text, at(first + 100 + n), 0.9) for n, text in enumerate(lines)),
        tuple(
            DetectedObject(label, at(first + n), 0.9 - n / 100) for n, label in enumerate(things)
        ),
    )


def found(grounding: Grounding) -> list[tuple[str, int]]:
    """The words of each span and the place they stand for."""
    return [(span.text, round(span.polygon[0][0] * 1000)) for span in grounding.spans]


@pytest.mark.parametrize(
    ("answer", "things", "spans"),
    [
        ("A red car.", ["car", "dog"], [("car", 0)]),
        ("A CAR and a Dog.", ["car", "dog"], [("CAR", 0), ("Dog", 1)]),
        ("The carpet of a scary dogma.", ["car", "dog"], []),
        ("Two cars.", ["car", "car"], [("cars", 0), ("cars", 1)]),
        ("Some people with knives and buses.", ["bus", "knife", "person"],
         [("people", 2), ("knives", 1), ("buses", 0)]),
        ("A cherry, two cherries.", ["cherry", "cherry"], [("cherry", 0), ("cherries", 1)]),
        ("A sheep and skis.", ["sheep", "skis"], [("sheep", 0), ("skis", 1)]),
        ("A stop sign, and a sign.", ["sign", "stop sign"], [("stop sign", 1), ("sign", 0)]),
        ("A traffic\nlight.", ["traffic light"], [("traffic\nlight", 0)]),
        ("A car. The car is red.", ["car", "car"], [("car", 0)]),
        ("A car and another blue car.", ["car", "car"], [("car", 0), ("car", 1)]),
        ("One car, two cars, many cars.", ["car", "car", "car"],
         [("car", 0), ("cars", 1), ("cars", 2)]),
        ("Set `car` to 1.", ["car"], []),
    ],
)  # fmt: skip
def test_things_are_found_once_by_whole_words(
    answer: str, things: list[str], spans: list[tuple[str, int]]
) -> None:
    assert found(match_words(answer, {1: seen(*things)})) == spans


@pytest.mark.parametrize(
    ("answer", "line", "text"),
    [
        ("The plate is KRW 301.", "KRW301", "KRW 301"),
        ("The plate is **krw-301**.", "KRW 301", "krw-301"),
        ("It says Sports  Centre.", "SPORTS CENTRE", "Sports  Centre"),
        ("The limit is 30 here.", "30", "30"),
        ("The limit is 130 here.", "30", None),
        ("I am a bus driver.", "BUS", None),
        ("It says BUS.", "BUS", "BUS"),
        ("A or B", "A", None),
        ("5 cars", "5", None),
        ("Nothing…", "…", None),
    ],
)
def test_lines_are_found_however_they_are_spaced(answer: str, line: str, text: str | None) -> None:
    grounding = match_words(answer, {1: seen(lines=(line,))})
    assert found(grounding) == ([(text, 100)] if text else [])


def test_the_longest_is_found_first() -> None:
    grounding = match_words(
        "It reads CAR PARK beside a car.", {1: seen("car", lines=("Car Park",))}
    )
    assert found(grounding) == [("CAR PARK", 100), ("car", 0)]


def test_offsets_count_code_points_and_numbers_follow_the_text() -> None:
    answer = "🚗 A dog 👩‍🔧 and a car."
    grounding = match_words(answer, {1: seen("car", "dog")}, first=4)
    for span in grounding.spans:
        assert answer[span.offset : span.offset + span.length] == span.text
    assert [span.number for span in grounding.spans] == [4, 5]
    assert key(grounding.outlines) == "[4] dog · [5] car"


def test_the_photo_named_last_is_meant() -> None:
    photos = {1: seen("car"), 2: seen("car", first=50)}
    grounding = match_words("P2 shows a car. P1 shows another car.", photos)
    assert [(one.photo, one.number) for one in grounding.outlines] == [(2, 1), (1, 2)]
    assert key(grounding.outlines) == "[1] car (P2) · [2] car (P1)"


def test_many_things_are_cut_and_nothing_is_nothing() -> None:
    grounding = match_words("So many cars.", {1: seen(*["car"] * 50)})
    assert len(grounding.outlines) == MOST
    assert match_words("A car.", {}).outlines == ()
    assert match_words("", {1: seen("car")}).spans == ()


def test_a_hostile_picture_costs_no_time() -> None:
    lines = tuple(f"{'a1 ' * 40}{n}" for n in range(200))
    began = time.perf_counter()
    assert match_words("a1 " * 10_000, {1: seen(lines=lines)}).spans == ()
    assert time.perf_counter() - began < 5


def test_on_frames_of_a_video_things_are_meant_where_their_time_was_named() -> None:
    early, late = frame_number(1, 2.0), frame_number(1, 8.0)
    there = {early: seen("car", "person"), late: seen("car")}
    grounding = match_words("A car passes. At 0:02.0 a car stands, at 0:08 the car is gone.", there)
    assert [(one.photo, one.label) for one in grounding.outlines] == [(early, "car"), (late, "car")]
    assert match_words("A person and a car.", there).outlines == ()
