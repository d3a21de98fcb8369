"""Plates and serial numbers in an answer: what is doubtful in them is told, and nothing else."""

from __future__ import annotations

import pytest

from bot import strings as texts
from bot.domain.sightings import TextLine
from bot.grounding.codes import MOST, doubts
from bot.text.codes import is_code, without_separators
from bot.text.vin import Vin

PLACE = ((0.1, 0.2), (0.3, 0.2), (0.3, 0.4), (0.1, 0.4))
SURE = 0.98
PLATE = "KRW 301"
GOOD, BAD = Vin("1M8GDM9AXKP042788", passes=True), Vin("WVWZZZ1JZXW000001", passes=False)


def line(text: str, confidence: float = 0.93) -> TextLine:
    return TextLine(text, PLACE, confidence)


@pytest.mark.parametrize(
    "text",
    ["KRW 301", "KRW301", "B·MW 1234", "SN:4711-0815", "1M8GDM9AXKP042788", "A123", "X" * 23 + "1"],
)
def test_plates_and_numbers_are_codes(text: str) -> None:
    assert is_code(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "STOP",
        "NO PARKING",
        "2024",
        "12:30",
        "1 000",
        "krw 301",
        "A 12",
        "X" * 24 + "1",
        "KRW_301",
        "KRW 301!",
        "١٢٣٤٥",
    ],
)
def test_words_and_other_text_are_none(text: str) -> None:
    assert not is_code(text)


def test_what_stands_between_characters_is_left_out() -> None:
    assert without_separators("B·MW-12 3/4:5.6") == "BMW123456"


@pytest.mark.parametrize(
    "answer",
    [
        "Its plate is KRW 301.",
        "KRW301 [1]",
        "It is **KRW-301**.",
        "| `KRW 301` | red |",
        "KRW\n301",
    ],
)
def test_a_code_that_was_read_unsurely_is_told_with_its_score(answer: str) -> None:
    assert doubts(answer, [line(PLATE)], SURE) == (
        "`KRW 301`: read with 93 % confidence, please check.",
    )


@pytest.mark.parametrize("confidence", [SURE, 1.0])
def test_a_code_that_was_read_surely_is_not(confidence: float) -> None:
    assert doubts("It is KRW 301.", [line(PLATE, confidence)], SURE) == ()


@pytest.mark.parametrize("answer", ["", "A red car.", "XKRW 301", "KRW 3010", "KRW and 301"])
def test_a_code_that_the_answer_does_not_name_is_not_told(answer: str) -> None:
    assert doubts(answer, [line(PLATE)], SURE) == ()


def test_a_code_is_told_once_however_often_it_was_read_and_said() -> None:
    lines = [line(PLATE), line(PLATE)]
    assert len(doubts("KRW 301, and once more KRW301.", lines, SURE)) == 1


def test_the_score_of_each_photo_is_told() -> None:
    found = doubts("KRW 301", [line(PLATE, 0.93), line(PLATE, 0.71)], SURE)
    assert found == (texts.uncertain_code(PLATE, 0.93), texts.uncertain_code(PLATE, 0.71))


def test_what_the_answer_tells_itself_is_not_told_again() -> None:
    assert doubts("It is KRW 301 (93 %, please check).", [line(PLATE)], SURE) == ()


@pytest.mark.parametrize("answer", ["It is KRW 307.", "It is KRW-307 [1].", "(KRW307)"])
def test_one_other_character_is_another_reading(answer: str) -> None:
    (told,) = doubts(answer, [line(PLATE, 0.99)], SURE)
    assert told.endswith(": another reading is `KRW 301` (99 % confidence), please check.")
    assert without_separators(told.split("`")[1]) == "KRW307"


@pytest.mark.parametrize(
    "answer", ["It is KRW 377.", "It is KRW 30.", "It is KRW 3012.", "krw 307"]
)
def test_what_differs_more_is_another_code(answer: str) -> None:
    assert doubts(answer, [line(PLATE, 0.5)], SURE) == ()


def test_two_codes_that_the_answer_has_are_no_readings_of_each_other() -> None:
    assert doubts("KRW 301 and KRW 307.", [line(PLATE, 0.99), line("KRW 307", 0.99)], SURE) == ()


def test_a_code_that_was_read_elsewhere_is_no_reading_of_its_neighbour() -> None:
    series = [line(f"SN100{number}", 0.99) for number in range(5)]
    assert doubts("The first is SN1001.", series, SURE) == ()
    assert doubts("The first is SN1009.", series[:1], SURE) != ()


def test_a_page_of_numbers_is_compared_with_a_page_of_numbers() -> None:
    read = [line(f"SN{number:06}X", 0.99) for number in range(0, 60_000, 20)]
    answer = ", ".join(f"SN{number:06}Y" for number in range(0, 60_000, 20))
    *told, more = doubts(answer, read, SURE)
    assert len(told) == MOST
    assert more == texts.more_uncertain_codes(len(read) - MOST)


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ("It was built in 2023.", "2024"),
        ("It was built in 2024.", "2024"),
        ("It was built in 12023.", "12024"),
        ("EXITS", "EXITX"),
        ("NO PARKING", "NO BARKING"),
    ],
)
def test_years_and_words_are_not_compared(answer: str, read: str) -> None:
    assert doubts(answer, [line(read, 0.99)], SURE) == ()


def test_a_word_is_no_code_however_unsurely_it_was_read() -> None:
    assert doubts("The sign says NO PARKING.", [line("NO PARKING", 0.61)], SURE) == ()


@pytest.mark.parametrize("vin", [GOOD, BAD])
def test_a_vehicle_s_number_in_the_answer_is_checked(vin: Vin) -> None:
    told = doubts(f"Its VIN is `{vin.number}`.", [], SURE)
    assert told == (texts.vin_checked(vin),)
    assert told[0].endswith("right." if vin.passes else "wrong, please check.")


def test_a_verdict_that_the_answer_has_is_not_told_again() -> None:
    assert doubts(f"{GOOD.number} ({texts.vin_verdict(GOOD)})", [], SURE) == ()


@pytest.mark.parametrize("words", ["1M8GDM9AXKP0427889", "X1M8GDM9AXKP042788", "12345678901234567"])
def test_other_long_codes_are_not_checked(words: str) -> None:
    assert doubts(words, [], SURE) == ()


def test_a_code_cannot_bring_markup_of_its_own() -> None:
    read = line("KRW`\n301")
    assert is_code(read.text) is False
    (told,) = doubts("KRW 301", [line("KRW\n301")], SURE)
    assert told == texts.uncertain_code("KRW 301", 0.93)


@pytest.mark.parametrize(
    "answer",
    ["A A A A " * 2_500, "1" * 20_000, "A1 " * 7_000, "A-" * 10_000, "KRW 30" * 3_000],
)
@pytest.mark.parametrize("read", [PLATE, "A1" * 12, "1 " * 24, "A A A 1", "1" * 5])
def test_hostile_answers_are_read_all_the_same(answer: str, read: str) -> None:
    """A pattern that backtracks without bound would not come to the end."""
    expected = (texts.read_differently("KRW 309", PLATE, 0.99),) if read == PLATE else ()
    assert doubts(f"{answer}. KRW 309", [line(read, 0.99)] * 50, SURE) == expected
