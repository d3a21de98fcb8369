"""What an answer points at: numbers, spans and the key."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.outlines import Outline, Span
from bot.grounding.outlines import (
    MOST,
    cited_numbers,
    key,
    label_of,
    number_spans,
    spans,
    uncited_outlines,
)
from bot.text.patterns import words_pattern

PLACE = ((0.1, 0.2), (0.3, 0.2), (0.3, 0.4), (0.1, 0.4))
CAR = Outline(1, 2, "red car", PLACE)
PLATE = Outline(2, 2, "KRW301", PLACE)


@pytest.mark.parametrize(
    ("answer", "numbers"),
    [
        ("A car [1] and its plate [2].", (1, 2)),
        ("Again [3], [1] and [3].", (3, 1)),
        ("[1][2]", (1, 2)),
        ("[0] [01] [100] [x] 1 (1)", ()),
        ("`cars[1]` and ``[2] ` [3]`` but [4]", (4,)),
        ("```\n[1]\n```\n[2]", (2,)),
        ("[1]\n```python\nnever closed [2]", (1,)),
        ("a lonely ` before [1]", (1,)),
    ],
)
def test_numbers_are_cited_outside_of_code(answer: str, numbers: tuple[int, ...]) -> None:
    assert cited_numbers(answer) == numbers


def test_what_is_not_cited_is_left_for_the_key() -> None:
    assert uncited_outlines("The plate [2] is readable.", [CAR, PLATE]) == (CAR,)


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        ("A **red car** [1] stands there.", ["red car"]),
        ("The Red  Car[1] stands there.", ["Red  Car"]),
        ("The plate reads KRW 301 [2].", ["KRW 301"]),
        ("A red car that leans, dented [1].", ["[1]"]),
        ("A red carriage [1].", ["[1]"]),
        ("[1] and again [1]; [7] is unknown.", ["[1]", "[1]"]),
        ("🚗🚗 red car [1]", ["red car"]),
    ],
)
def test_spans_are_the_label_before_a_number_or_the_number(answer: str, texts: list[str]) -> None:
    found = spans(answer, [CAR, PLATE])
    assert [span.text for span in found] == texts
    for span in found:
        assert answer[span.offset : span.offset + span.length] == span.text
        assert (span.photo, span.polygon) == (2, PLACE)


def test_offsets_count_code_points() -> None:
    [span] = spans("👩‍🔧 é red car [1]", [CAR])
    assert (span.offset, span.length, span.number) == (6, 7, 1)


@given(st.text("ab [1]`*\n🚗", max_size=60))
def test_spans_always_stand_where_they_say(answer: str) -> None:
    for span in spans(answer, [CAR]):
        assert answer[span.offset : span.offset + span.length] == span.text


def test_spans_of_a_service_get_numbers_in_the_order_of_the_text() -> None:
    other = tuple((x, y + 0.5) for x, y in PLACE)
    given_ = [
        Span("dog", 30, 3, other, 1),
        Span("Cat", 2, 3, PLACE, 1),
        Span("it", 40, 2, PLACE, 1),
    ]
    found = number_spans(given_)
    assert [(one.number, one.label) for one in found.outlines] == [(1, "Cat"), (2, "dog")]
    assert [(span.text, span.number) for span in found.spans] == [("Cat", 1), ("dog", 2), ("it", 1)]


def test_there_are_never_too_many_outlines() -> None:
    many = [Span("x", at, 1, ((at / 99, 0.0), (1.0, 0.0), (1.0, 1.0)), 1) for at in range(50)]
    found = number_spans(many, first=5)
    assert [one.number for one in found.outlines] == list(range(5, 5 + MOST))
    assert len(found.spans) == MOST


def test_the_key_names_photos_only_where_there_are_several() -> None:
    assert key([CAR, PLATE]) == "[1] red car · [2] KRW301"
    far = Outline(3, 5, "sign", PLACE)
    assert key([CAR, far]) == "[1] red car (P2) · [3] sign (P5)"
    assert cited_numbers(key([CAR, far])) == (1, 3)
    assert key([CAR, replace(CAR, number=2), PLATE]) == "[1] [2] red car · [2] KRW301"


@pytest.mark.parametrize(
    "words",
    [
        "<at>Everyone</at> @all",
        "[click](https://evil.example/a)",
        "![x](https://evil.example/a.png)",
        "https://evil.example/path",
        "a\nb\r\n# c",
    ],
)
def test_a_label_is_plain_words_in_one_line(words: str) -> None:
    shown = key([Outline(1, 1, label_of(words), PLACE)])
    assert "\n" not in shown
    assert "<at>" not in shown
    assert "](" not in shown
    assert not re.search(r"(?<!`)https://|@\w", shown)


def test_a_long_label_is_cut() -> None:
    assert len(label_of("word " * 100)) <= 80
    assert label_of("word " * 100).endswith("…")
    assert label_of(" \n ") == ""


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        ("KRW301", "plate krw-301.", "krw-301"),
        ("KRW 301", "(KRW301)", "KRW301"),
        ("car", "a carpet, a scar", None),
        ("car", "a _car_", "car"),
        ("30", "130 and 30", "30"),
        ("Straße", "die STRASSE, die Straße", "Straße"),
        ("停车", "停车", "停车"),
    ],
)
def test_words_are_found_whole_however_they_are_written(
    words: str, text: str, found: str | None
) -> None:
    match = re.search(words_pattern(words), text, re.IGNORECASE)
    assert (match[0] if match else None) == found
    assert words_pattern("?!") == ""


@pytest.mark.parametrize(
    ("words", "label"),
    [("2 people", "people"), ("a car", "car"), ("The person", "person"), ("2 ABC 34", "2 ABC 34")],
)
def test_a_label_is_the_thing_without_its_number(words: str, label: str) -> None:
    found = number_spans([Span(words, 0, len(words), PLACE, 1)])
    assert [outline.label for outline in found.outlines] == [label]
    assert found.spans[0].text == words
