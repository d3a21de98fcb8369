"""What a video's frames are chosen from: the plan, the candidates, and the survey of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from bot.domain.sightings import Sighting
from bot.media.frame_marks import MIN_CHANGE
from bot.media.frames import FrameSpec
from bot.ports.embedding import Vector

Span = tuple[float, float]
"""A stretch of a video in seconds: its start, and its end, which is no longer part of it."""

CANDIDATE_SIDE = 768
"""Long side of a candidate in pixels: a sign that people can read in the video stays readable."""
MAX_CHANGES = 12
"""Changes of a video that are mentioned."""
MIN_GAP = 1.0
"""Seconds between two changes that are mentioned: what happens within is one."""


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """What a question needs of a video: frames for its words, at most so many.

    `uses_engines` allows the engines that cost time or money. `leads` says that the model asks for
    frames itself, so that showing all candidates to an engine is not worth it, and `overview` that
    it gets an overview first.
    """

    words: str
    count: int
    uses_engines: bool = True
    leads: bool = False
    overview: bool = False


@dataclass(frozen=True, slots=True)
class PlannedFrame:
    """A frame to decode.

    `cost` counts the frames from the key frame before it on, that one for more, and `change` is how
    unusual its packet was (0: not at all, 1: very).
    """

    spec: FrameSpec
    cost: int
    change: float = 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A frame that may be chosen: its time in seconds, and a small upright JPEG of it.

    `mark`, `sharpness` and `brightness` are those of `bot.media.frames.VideoFrame`. `change` is how
    much changed just there, from 0 to 1.
    """

    at: float
    jpeg: bytes
    width: int
    height: int
    mark: bytes
    sharpness: float
    brightness: float
    change: float = 0.0


@dataclass(frozen=True, slots=True)
class SelectedCandidate:
    """A candidate that was selected, by its place; `score` is from 0 to 1."""

    place: int
    score: float
    fits: bool


@dataclass(frozen=True)
class Survey:
    """The candidates of some stretches of a video, in the order of their times.

    `sightings` and `vectors` are what engines made of them since, in the same order; empty if none
    did. `partial` says that not all of it could be decoded in time.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        ser_json_bytes="base64", val_json_bytes="base64"
    )

    spans: tuple[tuple[float, float], ...]
    candidates: tuple[Candidate, ...]
    sightings: tuple[Sighting | None, ...] = ()
    vectors: tuple[Vector | None, ...] = ()
    partial: bool = False

    @property
    def sightings_by_time(self) -> dict[float, Sighting]:
        """The sightings of candidates that have one, by their times."""
        pairs = zip(self.candidates, self.sightings, strict=bool(self.sightings))
        return {one.at: sighting for one, sighting in pairs if sighting is not None}

    @property
    def changes(self) -> tuple[float, ...]:
        """When the picture changes most, in seconds, in order."""
        times: list[float] = []
        for one in sorted(self.candidates, key=lambda one: -one.change):
            if one.change * 255 < MIN_CHANGE or len(times) == MAX_CHANGES:
                break
            if all(abs(one.at - at) >= MIN_GAP for at in times):
                times.append(one.at)
        return tuple(sorted(times))
