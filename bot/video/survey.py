"""What a first look at a video found: small frames to choose from, and where it changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import ConfigDict, TypeAdapter

from bot.domain.sightings import Sighting
from bot.media.frame_marks import MAX_NOISE, MIN_CHANGE, choose_varied, difference
from bot.ports.embedding import Vector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.media.frames import VideoFrame
    from bot.video.sampling import PlannedFrame, Span

MOST_CHANGES = 12
APART = 1.0
"""Seconds between two changes that are told of: what happens within is one."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A frame that may be chosen: its time in seconds, and a small upright JPEG of it.

    `mark`, `sharpness` and `brightness` are those of `bot.media.frames.VideoFrame`. `change`
    tells how much changed just there, from 0 to 1.
    """

    at: float
    jpeg: bytes
    width: int
    height: int
    mark: bytes
    sharpness: float
    brightness: float
    change: float = 0.0


@dataclass(frozen=True)
class Survey:
    """The candidates of some stretches of a video, in the order of their times.

    `sightings` and `vectors` are what engines made of them meanwhile, in the same order; empty
    where none did. `partial` says that not all of it could be decoded in time.
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
    def seen(self) -> dict[float, Sighting]:
        """What was seen in candidates, by their times."""
        pairs = zip(self.candidates, self.sightings, strict=bool(self.sightings))
        return {one.at: sighting for one, sighting in pairs if sighting is not None}

    @property
    def changes(self) -> tuple[float, ...]:
        """When the picture changes most, in seconds, in order."""
        found: list[float] = []
        for one in sorted(self.candidates, key=lambda one: -one.change):
            if one.change * 255 < MIN_CHANGE or len(found) == MOST_CHANGES:
                break
            if all(abs(one.at - at) >= APART for at in found):
                found.append(one.at)
        return tuple(sorted(found))


_SURVEY = TypeAdapter(Survey)


def written(survey: Survey) -> bytes:
    """Write a survey for keeping."""
    return _SURVEY.dump_json(survey)


def read(data: bytes) -> Survey | None:
    """Read a survey that was kept; None where another version wrote it."""
    try:
        return _SURVEY.validate_json(data)
    except ValueError:
        return None


def surveyed(
    spans: Iterable[Span],
    planned: Iterable[PlannedFrame],
    shots: Iterable[VideoFrame],
    most: int,
    *,
    partial: bool,
) -> Survey:
    """Make at most so many candidates of the frames that were decoded, as varied as they are.

    Of near-duplicates the sharper is kept.
    """
    cuts = {round(one.wanted.at, 3) for one in planned if one.change and not one.wanted.until}
    kept: list[Candidate] = []
    for shot in sorted(shots, key=lambda shot: shot.at):
        jump = shot.jump
        if shot.at in cuts and kept:  # The encoder itself says that all is new here.
            jump = difference(kept[-1].mark, shot.mark)
        one = _candidate(shot, jump)
        twin = next((k for k in reversed(kept) if difference(k.mark, one.mark) < MAX_NOISE), None)
        if twin is None:
            kept.append(one)
        elif one.sharpness > twin.sharpness * 1.2 or one.change > twin.change:
            kept.remove(twin)
            kept.append(one)
    places = choose_varied([one.mark for one in kept], most)
    return Survey(tuple(spans), tuple(kept[place] for place in places), partial=partial)


def _candidate(shot: VideoFrame, jump: float) -> Candidate:
    return Candidate(
        at=shot.at,
        jpeg=shot.jpeg,
        width=shot.width,
        height=shot.height,
        mark=shot.mark,
        sharpness=shot.sharpness,
        brightness=shot.brightness,
        change=round(jump / 255, 3),
    )
