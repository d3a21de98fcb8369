"""The history of a thread: turns, photos, videos, and the last request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from bot.domain.files import ChosenFrame, Photo, SpokenPassage, Video, VisionRecord
from bot.domain.outlines import Grounding

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
class TurnPictures:
    """The photos and videos of a turn, by their numbers, and the frames that the model saw.

    `photos` and `videos` were posted with the question. The model saw the photos in `singles` each
    by itself, and those in `sheets` only on a contact sheet; `frames` may be of any videos.
    """

    photos: tuple[int, ...] = ()
    singles: tuple[int, ...] = ()
    sheets: tuple[int, ...] = ()
    videos: tuple[int, ...] = ()
    frames: tuple[ChosenFrame, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelResponse:
    """The response of the model service, or why there is none.

    `deployment` is the model asked for and `model` what the service says answered. `refusal` names
    the response field of a refusal, or the codes of a content filter's; `problem` is why a turn
    failed. `first` and `seconds` count from the question: seconds to the first word and to the end.
    """

    deployment: str = ""
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    finish: str = ""
    refusal: str = ""
    problem: str = ""
    first: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class TurnEvidence:
    """Sightings and passages of speech that are new with a turn."""

    sightings: tuple[VisionRecord, ...] = ()
    passages: tuple[SpokenPassage, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnPosts:
    """The platform's ids of the posts that asked, and of those that answered."""

    questions: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer; `at` is the time of the question, seconds since the epoch.

    `grounding` are the outlines that people were shown, and the words of the answer that stand for
    parts of a picture.
    """

    id: str
    at: float
    author: str
    question: str
    answer: str
    status: Status = "answered"
    pictures: TurnPictures = field(default_factory=TurnPictures)
    response: ModelResponse = field(default_factory=ModelResponse)
    evidence: TurnEvidence = field(default_factory=TurnEvidence)
    grounding: Grounding = field(default_factory=Grounding)
    posts: TurnPosts = field(default_factory=TurnPosts)

    @property
    def has_answer(self) -> bool:
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
        """The latest sightings of photos and frames, by number."""
        return {
            record.photo: record.sighting
            for turn in self.turns
            for record in turn.evidence.sightings
        }

    @property
    def next_number(self) -> int:
        """The number of the next new photo."""
        return max((photo.number for photo in self.photos), default=0) + 1

    @property
    def next_video(self) -> int:
        """The number of the next new video."""
        return max((video.number for video in self.videos), default=0) + 1
