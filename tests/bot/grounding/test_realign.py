"""Spans of a model's words, found again in the answer that people see."""

from __future__ import annotations

import pytest

from bot.domain.outlines import Span
from bot.grounding.realign import realign

SQUARE = ((0.1, 0.1), (0.2, 0.1), (0.2, 0.2), (0.1, 0.2))


def spans(words: str, *texts: str) -> list[Span]:
    """The spans of words of a model, each the first after the one before."""
    made, after = [], 0
    for text in texts:
        at = words.index(text, after)
        made.append(Span(text, at, len(text), SQUARE, photo=1))
        after = at + len(text)
    return made


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("A car and a dog.", "A car and a dog."),
        ("\n\n A car and a dog.", "A car and a dog."),
        ("<b>A car</b> and a dog.", "&lt;b&gt;A car&lt;/b&gt; and a dog."),
        ("A [car](http://x.example/y) and a dog.", "A car and a dog."),
    ],
)
def test_spans_are_where_their_words_are(words: str, answer: str) -> None:
    found = realign(spans(words, "car", "dog"), answer)
    assert [span.text for span in found] == ["car", "dog"]
    assert [answer[span.offset : span.offset + span.length] for span in found] == ["car", "dog"]


def test_each_mention_keeps_its_own_place() -> None:
    words = "*Note* a car, a car and a car."
    answer = "Note: a car, a car and a car."
    found = realign(spans(words, "car", "car", "car"), answer)
    assert [span.offset for span in found] == [8, 15, 25]


def test_words_that_are_gone_have_no_span() -> None:
    found = realign(spans("A car and a dog.", "car", "dog"), "A dog.")
    assert [(span.text, span.offset, span.polygon) for span in found] == [("dog", 2, SQUARE)]
