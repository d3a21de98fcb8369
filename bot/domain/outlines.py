"""Outlines on photos, and the words of an answer that stand for them."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.domain.sightings import Polygon


@dataclass(frozen=True, slots=True)
class Outline:
    """Something outlined on a photo; in the answer `[number]` stands for it.

    `photo` is the number of a photo, or of a frame of a video (`bot.domain.frame_ids`).

    `label` is one line of plain text (see `label_of`); numbers count from 1 within an answer.
    """

    number: int
    photo: int
    label: str
    polygon: Polygon


@dataclass(frozen=True, slots=True)
class Span:
    """Words of an answer that stand for a part of a photo.

    `offset` and `length` count code points of the answer, and `text` is what stands there.
    `photo` and `number` are those of the outline; 0 where there is none.
    """

    text: str
    offset: int
    length: int
    polygon: Polygon
    photo: int = 0
    number: int = 0


@dataclass(frozen=True, slots=True)
class Grounding:
    """The outlines of an answer, by number, and the words that stand for them, in order."""

    outlines: tuple[Outline, ...] = field(default=())
    spans: tuple[Span, ...] = field(default=())
