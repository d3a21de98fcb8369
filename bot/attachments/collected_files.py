"""The files of a question that could be fetched and opened."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.files import Photo, Video
from bot.ports.model import Picture


@dataclass(frozen=True, slots=True)
class CollectedFiles:
    """What became of the files: photos in posted order, their pictures, videos, and what failed."""

    photos: tuple[Photo, ...] = ()
    pictures: tuple[Picture, ...] = ()
    problems: tuple[str, ...] = ()
    videos: tuple[Video, ...] = ()
