"""What a thread remembers: turns, photos, videos, and the request that was sent last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from bot.domain.files import ChosenFrame, Photo, SpokenPassage, Video, VisionRecord
from bot.domain.outlines import Outline, Span

if TYPE_CHECKING:
    from bot.domain.sightings import Sighting

Status = Literal["answered", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that an answer cost, as the service counted them."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.cached + other.cached,
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer.

    `photos` are the numbers of the pictures posted with the question (`shown` those the model
    saw, `sheets` those it saw only on a contact sheet); `messages` the platform's ids of the
    posts that asked; `sent` the ids of the posts that answered; `deployment` is the model asked
    for and `model` what the service says answered. `at`, `first` and `seconds` are
    the time of the question since the epoch, and seconds to the first word and to the end.
    `refusal` names the response field of a refusal, or the codes of a content filter's; `problem`
    is why a turn failed. `videos` are the numbers of the videos posted with the question, `frames`
    those of any videos that went to the model, and `heard` what was newly transcribed.
    `sightings` are those that were made for it, `outlines` what was outlined for people, and
    `grounding` says which words of the answer stand for what.
    """

    id: str
    at: float
    author: str
    question: str
    answer: str
    status: Status = "answered"
    photos: tuple[int, ...] = ()
    shown: tuple[int, ...] = ()
    sheets: tuple[int, ...] = ()
    deployment: str = ""
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    finish: str = ""
    refusal: str = ""
    problem: str = ""
    first: float = 0.0
    seconds: float = 0.0
    messages: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    sightings: tuple[VisionRecord, ...] = ()
    outlines: tuple[Outline, ...] = ()
    grounding: tuple[Span, ...] = ()
    videos: tuple[int, ...] = ()
    frames: tuple[ChosenFrame, ...] = ()
    heard: tuple[SpokenPassage, ...] = ()

    @property
    def told(self) -> bool:
        """Whether it belongs to the conversation: it has an answer, even one that was stopped."""
        return bool(self.answer) and self.status != "failed"


@dataclass(frozen=True, slots=True)
class ThreadHistory:
    """All that a thread remembers, oldest first."""

    turns: tuple[Turn, ...] = ()
    photos: tuple[Photo, ...] = ()
    request: tuple[dict[str, Any], ...] = ()
    videos: tuple[Video, ...] = ()

    @property
    def sightings(self) -> dict[int, Sighting]:
        """What was seen in photos and frames, by number, as last looked at."""
        return {seen.photo: seen.sighting for turn in self.turns for seen in turn.sightings}

    @property
    def next_number(self) -> int:
        """The number of the next new photo."""
        return max((photo.number for photo in self.photos), default=0) + 1

    @property
    def next_video(self) -> int:
        """The number of the next new video."""
        return max((video.number for video in self.videos), default=0) + 1
