"""Stretches of time that a question names: "from 1:10 to 2:00", "the last 30 seconds"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.candidates import Span

_UNIT = r"(?:s|secs?|seconds?|m|mins?|minutes?)\b"
_TIME = rf"(\d{{1,2}}(?::\d{{2}}){{1,2}}(?:\.\d+)?|\d{{1,4}}(?:\.\d+)?(?=\s*{_UNIT}))\s*({_UNIT})?"
_BARE = rf"(\d{{1,2}}(?::\d{{2}}){{1,2}}(?:\.\d+)?|\d{{1,4}}(?:\.\d+)?)\s*({_UNIT})?"
_BETWEEN = re.compile(
    rf"\b(?:from|between)\s+{_BARE}\s*(?:to|until|till|and|-|–|—)\s*{_TIME}", re.IGNORECASE
)
_RANGE = re.compile(
    r"(?<![\d:])(\d{1,2}(?::\d{2}){1,2})()\s*(?:to|-|–|—)\s*(\d{1,2}(?::\d{2}){1,2})()"
)
_FIRST = re.compile(rf"\bfirst\s+{_TIME}", re.IGNORECASE)
_LAST = re.compile(rf"\blast\s+{_TIME}", re.IGNORECASE)
_AFTER = re.compile(rf"\b(?:after|from|since)\s+{_TIME}(?:\s+on(?:wards?)?)?", re.IGNORECASE)
_BEFORE = re.compile(rf"\b(?:before|until|till|up to)\s+{_TIME}", re.IGNORECASE)


def window(words: str, seconds: float) -> Span | None:
    """Find the stretch of a video of so many seconds that a question names; None if none is.

    A stretch that is not in the video is none.
    """
    for start, end in _named(words, seconds):
        span = max(0.0, start), min(seconds, end)
        if span[0] < span[1]:
            return span
    return None


def _named(words: str, seconds: float) -> list[Span]:
    if found := _BETWEEN.search(words) or _RANGE.search(words):
        unit = found[2] or (found[4] if ":" not in found[1] else "")
        return [(_seconds(found[1], unit), _seconds(found[3], found[4]))]
    if found := _FIRST.search(words):
        return [(0.0, _seconds(found[1], found[2]))]
    if found := _LAST.search(words):
        return [(seconds - _seconds(found[1], found[2]), seconds)]
    if found := _AFTER.search(words):
        return [(_seconds(found[1], found[2]), seconds)]
    if found := _BEFORE.search(words):
        return [(0.0, _seconds(found[1], found[2]))]
    return []


def _seconds(time: str, unit: str | None) -> float:
    value = 0.0
    for part in time.split(":"):
        value = value * 60 + float(part)
    return value * 60 if unit and unit.lower().startswith("m") and ":" not in time else value


def spans_of(words: str, seconds: float, most: float) -> tuple[Span, ...]:
    """Tell which stretches of a video are looked at: at most so many seconds in all.

    That is what the question names, else the whole, else the first and the last part.
    """
    start, end = window(words, seconds) or (0.0, seconds)
    # A video of one picture has no length.
    end = max(end, start + 0.001)
    if end - start <= most:
        return ((start, end + (1.0 if end >= seconds else 0.0)),)
    half = most / 2
    return (start, start + half), (end - half, end + (1.0 if end >= seconds else 0.0))
