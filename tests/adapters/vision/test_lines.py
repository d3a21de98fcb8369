"""Lines of the whole picture and of a closer look, put together and in order."""

from __future__ import annotations

from adapters.vision.lines import merge, reading_order
from adapters.vision.ocr import RecognizedLine
from adapters.vision.polygons import rectangle
from bot.domain.sightings import TextLine


def reading(
    text: str, confidence: float, left: float, right: float, top: float = 0
) -> RecognizedLine:
    return RecognizedLine(text, confidence, rectangle(left, top, right, top + 20))


def texts(lines: list[RecognizedLine]) -> list[str]:
    return sorted(line.text for line in lines)


def test_a_surer_reading_of_the_same_place_prevails() -> None:
    whole, closer = reading("KRN 301", 0.7, 0, 100), reading("KRW 301", 0.9, 5, 98)
    assert merge([whole], [closer]) == [closer]
    assert merge([closer], [whole]) == [closer]


def test_a_surer_part_does_not_replace_the_whole_line() -> None:
    whole = reading("AB 12 CDE", 0.9, 0, 100)
    assert merge([whole], [reading("AB 12", 0.99, 0, 55)]) == [whole]


def test_all_parts_together_may_replace_a_line() -> None:
    parts = [reading("AB 12", 0.99, 0, 55), reading("CDE", 0.98, 60, 100)]
    assert merge([reading("A8 I2 CDE", 0.7, 0, 100)], parts) == parts


def test_a_line_may_replace_its_parts() -> None:
    line = reading("AB 12 CDE", 0.95, 0, 100)
    parts = [reading("A8", 0.7, 0, 30), reading("CDE", 0.8, 60, 100)]
    assert merge(parts, [line]) == [line]


def test_nothing_that_was_read_is_lost_and_what_is_new_is_added() -> None:
    whole = [reading("NOTICE", 1.0, 0, 100), reading("EXIT", 0.8, 200, 300)]
    closer = [reading("EX", 0.9, 200, 250), reading("tiny", 0.7, 500, 520)]
    assert texts(merge(whole, closer)) == ["EXIT", "NOTICE", "tiny"]


def test_without_a_closer_look_all_stays() -> None:
    whole = [reading("a", 0.7, 0, 10), reading("b", 0.7, 20, 30)]
    assert merge(whole, []) == whole


def at(text: str, left: float, top: float, lean: float = 0) -> TextLine:
    right, bottom = left + 0.2, top + 0.1
    corners = ((left, top), (right, top + lean), (right, bottom + lean), (left, bottom))
    return TextLine(text, corners, 1.0)


def test_rows_are_read_from_the_left_though_they_are_not_level() -> None:
    lines = [at("d", 0.5, 0.30), at("b", 0.5, 0.10), at("a", 0.1, 0.13), at("c", 0.1, 0.32)]
    assert [line.text for line in reading_order(lines)] == ["a", "b", "c", "d"]


def test_leaning_rows_are_told_apart() -> None:
    lines = [at("second", 0.10, 0.16, lean=0.1), at("first", 0.12, 0.10, lean=0.1)]
    assert [line.text for line in reading_order(lines)] == ["first", "second"]
