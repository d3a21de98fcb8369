"""What a transcription says: phrases with true times, and nothing that nobody spoke."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.models.audio import AudioSamples
from adapters.models.transcript_segments import (
    MOST_CHARACTERS,
    MOST_PHRASES,
    check_transcription,
    in_order,
    timed_phrases,
    whole_phrase,
)
from bot.domain.files import Phrase
from bot.errors import ModelProblem, ModelReason
from tests.servers.transcriptions import segment, speak

SOUND = AudioSamples.read(speak(seconds=20, hiss=0.05))


def told(*segments: Any, text: str = "words") -> dict[str, Any]:
    return {"text": text, "segments": [*segments]}


@pytest.mark.parametrize(
    "answer", [None, [], "text", {}, {"text": None}, {"text": 3}, {"segments": {}}]
)
def test_an_answer_without_text_is_none(answer: object) -> None:
    with pytest.raises(ModelProblem) as caught:
        check_transcription(answer)
    assert caught.value.reason is ModelReason.FAILED


def test_an_error_in_an_answer_is_named() -> None:
    with pytest.raises(ModelProblem) as caught:
        check_transcription({"error": {"code": "rate_limit_exceeded", "message": "secret words"}})
    assert caught.value.reason is ModelReason.BUSY
    assert "secret" not in str(caught.value)


def test_segments_are_phrases_with_their_times() -> None:
    answer = told(segment("Look out!", 1.5, 2.25), segment("It's\n  green.", 4, 5))
    assert timed_phrases(answer, SOUND) == [
        Phrase("Look out!", 1.5, 2.25),
        Phrase("It's green.", 4, 5),
    ]


def test_times_count_from_where_the_sound_begins() -> None:
    later = SOUND.between(8.0, 20.0)
    assert timed_phrases(told(segment("Stop.", 1.5, 2.0)), later) == [Phrase("Stop.", 9.5, 10.0)]


@pytest.mark.parametrize("words", ["", " ", "\n", "...", " ♪ ", "—", None, 7])
def test_a_segment_without_words_is_dropped(words: Any) -> None:
    assert timed_phrases(told({**segment("", 0, 1), "text": words}), SOUND) == []


@pytest.mark.parametrize(
    ("chance", "kept"), [(0.59, 1), (0.6, 1), (0.61, 0), (1, 0), (None, 1), ("", 1)]
)
def test_what_is_probably_no_speech_is_dropped(chance: Any, kept: int) -> None:
    found = timed_phrases(told(segment("Thanks for watching!", 3, 5, no_speech_prob=chance)), SOUND)
    assert found is not None
    assert len(found) == kept


def test_words_told_of_silence_are_dropped() -> None:
    sound = AudioSamples.read(speak(("stop", 1.0, 2.0), seconds=20))
    answer = told(segment("Stop!", 0.5, 2.0), segment("Thank you.", 8.0, 10.0))
    assert timed_phrases(answer, sound) == [Phrase("Stop!", 0.5, 2.0)]


def test_words_whose_times_are_a_little_off_are_kept() -> None:
    sound = AudioSamples.read(speak(("stop", 5.0, 6.0), seconds=20))
    assert timed_phrases(told(segment("Stop!", 6.8, 7.5)), sound) == [Phrase("Stop!", 6.8, 7.5)]


def test_words_told_of_a_time_after_the_end_are_dropped() -> None:
    assert timed_phrases(told(segment("Thank you.", 30.0, 32.0)), SOUND) == []


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "Look out!"},
        {"text": "Look out!", "segments": []},
        {"text": "Look out!", "segments": None},
        told({"text": "Look out!"}),
        told({**segment("Look out!", 0, 1), "end": None}),
        told({**segment("Look out!", 0, 1), "start": "0.0"}),
        told({**segment("Look out!", 0, 1), "start": True}),
        told(segment("Look out!", float("nan"), 1)),
        told(segment("Look out!", 0, float("inf"))),
        told(segment("Look out!", 0, 1), "Look out!"),
    ],
)
def test_words_without_times_are_told_apart(answer: dict[str, Any]) -> None:
    assert timed_phrases(answer, SOUND) is None


@pytest.mark.parametrize("answer", [{"text": ""}, {"text": " ", "segments": []}, {"segments": []}])
def test_no_words_need_no_times(answer: dict[str, Any]) -> None:
    assert timed_phrases(answer, SOUND) == []


def test_a_text_is_one_phrase_as_long_as_the_sound() -> None:
    assert whole_phrase({"text": " Look out!\n"}, SOUND.between(3, 7)) == [
        Phrase("Look out!", 3, 7)
    ]
    assert whole_phrase({"text": " \n"}, SOUND) == []


def test_a_long_phrase_is_cut_between_characters() -> None:
    words = "a" * (MOST_CHARACTERS - 2) + "e\u0301" * 10
    (phrase,) = whole_phrase({"text": words}, SOUND)
    assert phrase.text == "a" * (MOST_CHARACTERS - 2) + "…"


def test_half_a_surrogate_pair_does_no_harm() -> None:
    (phrase,) = whole_phrase({"text": "go \ud83d on"}, SOUND)
    assert phrase.text.encode()


def test_phrases_are_in_order_and_within_the_sound() -> None:
    found = in_order(
        [
            Phrase("c", 8.0, 12.0),
            Phrase("a", -1.0, 2.0),
            Phrase("b", 5.0, 4.0),
            Phrase("d", 11.0, 12.0),
        ],
        10.0,
    )
    assert found == (
        Phrase("a", 0.0, 2.0),
        Phrase("b", 5.0, 5.0),
        Phrase("c", 8.0, 10.0),
        Phrase("d", 10.0, 10.0),
    )


def test_there_is_a_most_of_phrases() -> None:
    assert len(in_order([Phrase("a", 0, 1)] * (MOST_PHRASES + 1), 10.0)) == MOST_PHRASES
