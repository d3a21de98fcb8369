"""The stages of a turn: collected, prepared, composed, answered; each is made of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot import strings as texts
from bot.attachments.collected_files import CollectedFiles
from bot.domain.budget import Budget
from bot.domain.files import ChosenFrame, SpokenPassage, VisionRecord
from bot.domain.history import ThreadHistory
from bot.domain.outlines import Grounding
from bot.domain.preferences import EffectiveSettings
from bot.domain.question import Question
from bot.domain.sightings import Sighting
from bot.ports.model import Finished, Picture, Request
from bot.tools.loop import ToolLoop
from bot.tools.toolbox import Toolbox
from bot.turn.answer_text import AnswerText
from bot.video.prepared_video import PreparedVideo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.prompt.video_part import VideoPart


@dataclass(frozen=True, slots=True)
class CollectedQuestion:
    """A question, its files, what the thread remembers, and the settings in effect.

    `files` is empty until they are fetched.
    """

    question: Question
    past: ThreadHistory
    settings: EffectiveSettings
    files: CollectedFiles = field(default_factory=CollectedFiles)

    @property
    def answerable(self) -> bool:
        """Whether there is a usable file, or words that were meant for Loupe."""
        usable = self.files.photos or self.files.videos
        return bool(usable or (self.question.words and not self.question.photos_only))

    @property
    def words(self) -> str:
        """The words to answer, or a default; words not meant for Loupe are not sent or stored."""
        words = self.question.words if self.answerable else ""
        return words or texts.default_question(len(self.files.photos), len(self.files.videos))


@dataclass(frozen=True, slots=True)
class PhotoSightings:
    """The sightings of photos and frames, by number, and those that are new with this question.

    `notes` are sentences for people about what could not be analysed.
    """

    by_number: Mapping[int, Sighting] = field(default_factory=dict)
    fresh: tuple[VisionRecord, ...] = ()
    notes: tuple[str, ...] = ()

    def with_sighting(self, picture: Picture) -> Picture:
        """Return a picture of a single photo or frame together with its sighting."""
        return replace(picture, sighting=self.by_number.get(picture.numbers[0]))

    def with_sightings(self, video: PreparedVideo) -> PreparedVideo:
        """Return a video whose frames have their sightings."""
        frames = tuple(map(self.with_sighting, video.part.frames))
        return replace(video, part=replace(video.part, frames=frames))


@dataclass(frozen=True, slots=True)
class PreparedQuestion:
    """A question whose photos and frames are chosen and were looked at.

    `photos` are those of the question, and earlier ones that it is about. `notes` and
    `video_notes` stand above the answer.
    """

    inputs: CollectedQuestion
    budget: Budget
    photos: tuple[Picture, ...]
    videos: tuple[PreparedVideo, ...]
    sightings: PhotoSightings
    notes: tuple[str, ...] = ()
    video_notes: tuple[str, ...] = ()

    @property
    def video_parts(self) -> tuple[VideoPart, ...]:
        """What goes to the model of each video."""
        return tuple(video.part for video in self.videos)

    @property
    def video_pictures(self) -> tuple[Picture, ...]:
        """The overviews and frames of all videos."""
        return tuple(picture for part in self.video_parts for picture in part.pictures)

    @property
    def frames(self) -> tuple[Picture, ...]:
        """The frames of all videos, without overviews."""
        return tuple(frame for part in self.video_parts for frame in part.frames)


@dataclass(frozen=True, slots=True)
class ComposedRequest:
    """A request, with its notes for people and its details for the history.

    `notes` stand above the answer and `tail` below it. `singles` and `sheets` are the photos that
    are sent one by one or only on a contact sheet; `sightings` those of all that go with the
    question, or of the recent ones where none do, by number, and `fresh` what was looked at for it.
    `frames` are the frames of videos that go, `overviews` the numbers of those that stand on an
    overview, and `passages` is what was newly transcribed.
    """

    inputs: CollectedQuestion
    request: Request
    notes: tuple[str, ...]
    tail: tuple[str, ...]
    singles: tuple[int, ...]
    sheets: tuple[int, ...]
    sightings: Mapping[int, Sighting]
    fresh: tuple[VisionRecord, ...]
    frames: tuple[ChosenFrame, ...] = ()
    overviews: tuple[int, ...] = ()
    passages: tuple[SpokenPassage, ...] = ()

    @property
    def head(self) -> str:
        """The notes above the answer, each a paragraph."""
        return "".join(f"{note}\n\n" for note in (*self.inputs.files.problems, *self.notes))


@dataclass(frozen=True, slots=True)
class GrowingAnswer:
    """An answer that the model writes: its text so far, and the tools that it may call."""

    composition: ComposedRequest
    text: AnswerText
    toolbox: Toolbox
    loop: ToolLoop


@dataclass(frozen=True, slots=True)
class FinishedAnswer:
    """An answer that the model has ended, what it points at, and the notes that stand below it."""

    draft: GrowingAnswer
    text: str
    response: Finished
    grounding: Grounding = field(default_factory=Grounding)
    tail: tuple[str, ...] = ()


Stage = CollectedQuestion | PreparedQuestion | ComposedRequest | GrowingAnswer | FinishedAnswer
"""What a turn has come to; a stop or a failure ends it with the last that was reached."""


def numbers_of(pictures: Iterable[Picture]) -> tuple[int, ...]:
    """Return the numbers of all photos and frames that stand on pictures."""
    return tuple(number for picture in pictures for number in picture.numbers)
