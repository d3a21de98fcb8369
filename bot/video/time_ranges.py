"""Stretches of time that a question names: "from 1:10 to 2:00", "the last 30 seconds"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.domain.frame_ids import CLOCK, read_clock

if TYPE_CHECKING:
    from bot.video.candidates import Span

_UNIT = r"(?:s|secs?|seconds?|m|mins?|minutes?)\b"
_CLOCK = r"\d{1,2}(?::\d{2}){1,2}(?:\.\d+)?"
_NUMBER = r"\d{1,4}(?:\.\d+)?"
_TIME = rf"({_CLOCK}|{_NUMBER}(?=\s*{_UNIT}))\s*({_UNIT})?"
_OPEN_TIME = rf"({_CLOCK}|{_NUMBER})\s*({_UNIT})?"
_LENGTH = rf"(?:{_TIME}|(minute)\b)"
_TO = r"(?:to|until|till|through|-|–|—)"
_BETWEEN = re.compile(
    rf"\b(?:from|between)\s+{_OPEN_TIME}\s*(?:{_TO}|and)\s*{_TIME}", re.IGNORECASE
)
_RANGE = re.compile(rf"(?<![\d:])({_CLOCK})()\s*{_TO}\s*({_CLOCK})()", re.IGNORECASE)
_FIRST = re.compile(rf"\bfirst\s+{_LENGTH}", re.IGNORECASE)
_LAST = re.compile(rf"\blast\s+{_LENGTH}", re.IGNORECASE)
_AFTER = re.compile(rf"\b(?:after|from|since)\s+{_TIME}", re.IGNORECASE)
_BEFORE = re.compile(
    rf"\b(?:before|until|till|up to|(?:start|beginning) to)\s+{_TIME}", re.IGNORECASE
)


def named_span(words: str, seconds: float) -> Span | None:
    """Return the stretch that a question names, in a video of so many seconds; None if none.

    A stretch outside the video does not count.
    """
    times = _times(words, seconds)
    if times is None:
        return None
    start, end = max(0.0, min(times)), min(seconds, max(times))
    return (start, end) if start < end else None


def _times(words: str, seconds: float) -> Span | None:
    if match := _BETWEEN.search(words) or _RANGE.search(words):
        unit = match[2] or (match[4] if ":" not in match[1] else "")
        return _seconds(match[1], unit), _seconds(match[3], match[4])
    if match := _FIRST.search(words):
        return 0.0, _length(match)
    if match := _LAST.search(words):
        return seconds - _length(match), seconds
    if match := _AFTER.search(words):
        return _seconds(match[1], match[2]), seconds
    if match := _BEFORE.search(words):
        return 0.0, _seconds(match[1], match[2])
    return None


def _length(match: re.Match[str]) -> float:
    """Return a length in seconds; "the first minute" is one."""
    number, unit, alone = match.groups()
    return _seconds(number or "1", unit or alone)


def _seconds(time: str, unit: str | None) -> float:
    value = 0.0
    for part in time.split(":"):
        value = value * 60 + float(part)
    return value * 60 if unit and unit.lower().startswith("m") and ":" not in time else value


def spans_of(words: str, seconds: float, most: float) -> tuple[Span, ...]:
    """Return the stretches of a video to look at: at most so many seconds in all.

    That is what the question names, else the whole; if that is too long, the part around a time
    that the question names, else the first and the last part.
    """
    span = named_span(words, seconds)
    start, end = span or (0.0, seconds)
    # A video of one picture has no length.
    end = max(end, start + 0.001)
    parts = [(start, end)]
    if end - start > most:
        at = None if span else _moment(words, seconds)
        parts = _ends(start, end, most) if at is None else [_around(at, seconds, most)]
    return tuple((a, b + (1.0 if b >= seconds else 0.0)) for a, b in parts)


def _moment(words: str, seconds: float) -> float | None:
    """Return the first time within a video that a question names."""
    times = map(read_clock, CLOCK.finditer(words))
    return next((at for at in times if at < seconds), None)


def _around(at: float, seconds: float, most: float) -> Span:
    start = min(max(0.0, at - most / 2), seconds - most)
    return start, start + most


def _ends(start: float, end: float, most: float) -> list[Span]:
    return [(start, start + most / 2), (end - most / 2, end)]
