"""The outcome of a turn."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.files import Photo, Video
from bot.domain.history import Turn


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished turn: what is stored, the whole text to show, and whether the hints are in it.

    `overviews` are the numbers of the frames that the model saw small, on an overview.
    """

    turn: Turn
    text: str
    has_hints: bool
    photos: tuple[Photo, ...] = ()
    request: tuple[dict[str, object], ...] = ()
    videos: tuple[Video, ...] = ()
    overviews: tuple[int, ...] = ()
