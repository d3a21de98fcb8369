"""Phrases of a transcription with their times, without those that the model made up.

The form is that of OpenAI's `audio/transcriptions`: `text`, and with `verbose_json` also
`segments` of `text`, `start`, `end` (seconds) and `no_speech_prob`.
https://developers.openai.com/api/reference/resources/audio
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from adapters.models.chat_response import mapping, string
from adapters.models.errors import reported_problem
from bot.domain.files import Phrase
from bot.errors import ModelProblem, ModelReason
from bot.text.graphemes import boundary, well_formed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adapters.models.audio import AudioSamples

MOST_PHRASES = 500
"""Most phrases of one sound track: three minutes of speech have about 60."""
MOST_CHARACTERS = 1_000
"""Most characters of one phrase: 15 seconds of fast speech have about 400."""
NO_SPEECH = 0.6
"""Whisper's own threshold, above which a segment counts as no speech."""
DRIFT = 1.0
"""Seconds by which the times of models have been seen to be wrong."""


def check_transcription(answer: object) -> Mapping[str, Any]:
    """Return a transcription as it is; raises `ModelProblem` for anything else."""
    fields = mapping(answer)
    if error := fields.get("error"):
        raise reported_problem(error)
    if not isinstance(fields.get("text"), str) and not isinstance(fields.get("segments"), list):
        raise ModelProblem(ModelReason.FAILED, "no text in the answer")
    return fields


def timed_phrases(fields: Mapping[str, Any], sound: AudioSamples) -> list[Phrase] | None:
    """Return the segments; None for text without times, which some servers send regardless."""
    segments = fields.get("segments")
    segments = [*map(mapping, segments)] if isinstance(segments, list) else []
    times = [(_seconds(one.get("start")), _seconds(one.get("end"))) for one in segments]
    if any(None in pair for pair in times) or (not segments and _spoken(fields.get("text"))):
        return None
    return [
        Phrase(text, sound.start + start, sound.start + end)
        for segment, (start, end) in zip(segments, times, strict=True)
        if start is not None and end is not None
        if (text := _spoken(segment.get("text")))
        if (_seconds(segment.get("no_speech_prob")) or 0.0) <= NO_SPEECH
        if _sounds(sound, start, end)
    ]


def whole_phrase(fields: Mapping[str, Any], sound: AudioSamples) -> list[Phrase]:
    """Return the text as one phrase, as long as the sound."""
    text = _spoken(fields.get("text"))
    return [Phrase(text, sound.start, sound.end)] if text else []


def in_order(phrases: Iterable[Phrase], seconds: float) -> tuple[Phrase, ...]:
    """Sort phrases by time, clamped to the length of the sound, and at most `MOST_PHRASES`."""
    clamped = [
        Phrase(
            phrase.text,
            round(min(max(phrase.start, 0.0), seconds), 3),
            round(min(max(phrase.end, phrase.start, 0.0), seconds), 3),
        )
        for phrase in phrases
    ]
    return tuple(sorted(clamped, key=lambda phrase: (phrase.start, phrase.end))[:MOST_PHRASES])


def _seconds(value: object) -> float | None:
    """Return a finite number as it is, and None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _spoken(value: object) -> str:
    """Clean up text; empty without a letter or digit, as in "..." or "♪"."""
    text = " ".join(well_formed(string(value)).split())
    if len(text) > MOST_CHARACTERS:
        text = text[: boundary(text, MOST_CHARACTERS - 1)] + "…"
    return text if any(map(str.isalnum, text)) else ""


def _sounds(sound: AudioSamples, start: float, end: float) -> bool:
    """Return whether there is sound around these times: words in silence are made up."""
    return (
        sound.between(sound.start + start - DRIFT, sound.start + end + DRIFT).without_silence()
        is not None
    )
