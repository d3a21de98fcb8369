"""Earlier photos and videos that a question is about: named, quoted, or simply the last."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.domain.files import Photo, Video
    from bot.domain.history import ThreadHistory, Turn

_PHOTO_NAME = re.compile(r"\bP(\d{1,5})\b", re.IGNORECASE)
_VIDEO_NAME = re.compile(r"\bV(\d{1,5})\b", re.IGNORECASE)


def named_numbers(words: str) -> set[int]:
    """Find the photos that a question names ("what about P3?")."""
    return {int(number) for number in _PHOTO_NAME.findall(words)}


def photos_about(past: ThreadHistory, words: str, quoted_id: str) -> list[Photo]:
    """Pick the earlier photos that a question names, or that the quoted message is about."""
    numbers = named_numbers(words)
    if quoted_id:
        numbers |= {photo.number for photo in past.photos if photo.message == quoted_id}
        numbers |= {n for turn in _turns_of(quoted_id, past) for n in turn.pictures.photos}
    return [photo for photo in past.photos if photo.number in numbers]


def videos_about(
    past: ThreadHistory, words: str, quoted_id: str, *, fresh: bool = False
) -> list[Video]:
    """Pick the earlier videos that a question is about.

    These are the ones that it names, or that the quoted message is about. If it names no photo
    either, they are those of the last turn with photos or videos; with `fresh`, the question has
    files of its own and is about these instead.
    """
    # There are other things of such names, such as an engine V8 or a road P3.
    numbers = {int(n) for n in _VIDEO_NAME.findall(words)} & {one.number for one in past.videos}
    photos = named_numbers(words) & {photo.number for photo in past.photos}
    if quoted_id:
        numbers |= {video.number for video in past.videos if video.message == quoted_id}
        answers = _turns_of(quoted_id, past)
        numbers |= {number for turn in answers for number in turn.pictures.videos}
        numbers |= {frame.video for turn in answers for frame in turn.pictures.frames}
    elif not (numbers or photos or fresh):
        turns = [turn for turn in past.turns if turn.pictures.photos or turn.pictures.videos]
        numbers = set(turns[-1].pictures.videos) if turns else set()
    return [video for video in past.videos if video.number in numbers]


def _turns_of(post: str, past: ThreadHistory) -> list[Turn]:
    """Return the turns that a post asked, or was part of the answer of."""
    return [t for t in past.turns if post in (*t.posts.questions, *t.posts.answers)]
