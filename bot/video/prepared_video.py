"""A video as it was prepared for a question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.domain.files import ChosenFrame, SpokenPassage, Video
from bot.domain.sightings import Sighting
from bot.prompt.video_part import VideoPart

Say = Callable[[str], None]
"""Shows the progress of the work, in words."""


@dataclass(frozen=True, slots=True)
class PreparedVideo:
    """A video prepared for a question: what the model gets, and what is stored with the turn.

    `passages` were transcribed just now. `notes` stand above the answer and `tail` below it.
    `sightings` are those of small copies of the frames, by number.
    """

    video: Video
    part: VideoPart
    frames: tuple[ChosenFrame, ...] = ()
    passages: tuple[SpokenPassage, ...] = ()
    notes: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    sightings: Mapping[int, Sighting] = field(default_factory=dict)
