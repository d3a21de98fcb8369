"""Earlier photos and videos that a question is about: named, quoted, or simply the last."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.frames import video_of

if TYPE_CHECKING:
    from bot.history import Chosen, Past, Photo, Video

_NAMED = re.compile(r"\bP(\d{1,5})\b", re.IGNORECASE)
_NAMED_VIDEO = re.compile(r"\bV(\d{1,5})\b", re.IGNORECASE)


def named_numbers(words: str) -> set[int]:
    """Find the photos that a question names ("what about P3?")."""
    return {int(number) for number in _NAMED.findall(words)}


def selected(past: Past, words: str, quoted: str) -> list[Photo]:
    """Pick the earlier photos that a question names, or that the quoted message is about."""
    numbers = named_numbers(words)
    if quoted:
        numbers |= {photo.number for photo in past.photos if photo.message == quoted}
        numbers |= {n for turn in past.turns if quoted in turn.sent for n in turn.photos}
        numbers |= {n for turn in past.turns if quoted in turn.messages for n in turn.photos}
    return [photo for photo in past.photos if photo.number in numbers]


def selected_videos(past: Past, words: str, quoted: str, *, fresh: bool = False) -> list[Video]:
    """Pick the earlier videos that a question is about.

    Those that it names, or that the quoted message is about; else, where it names no photo either,
    those of the turn that photos or videos were last posted with. With `fresh` files are posted
    with the question, which it is about then.
    """
    numbers = {int(number) for number in _NAMED_VIDEO.findall(words)}
    if quoted:
        numbers |= {video.number for video in past.videos if video.message == quoted}
        answers = [t for t in past.turns if quoted in t.sent or quoted in t.messages]
        numbers |= {n for turn in answers for n in (*turn.videos, *map(_video_of, turn.frames))}
    elif not (numbers or fresh or named_numbers(words)):
        posted = [turn for turn in past.turns if turn.photos or turn.videos]
        numbers = set(posted[-1].videos) if posted else set()
    return [video for video in past.videos if video.number in numbers]


def _video_of(chosen: Chosen) -> int:
    return video_of(chosen.frame)
