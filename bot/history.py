"""What a thread remembers: turns, photos, videos, and the request that was sent last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bot.frames import video_of
from bot.grounding import Outline, Span
from bot.speech import Phrase
from bot.vision import Sighting

if TYPE_CHECKING:
    from bot.threads import Place, Thread

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
class PhotoFacts:
    """What a picture file says of itself.

    `format` is the real one ("JPEG"), `width` and `height` are upright pixels of the original,
    `size` its bytes. `taken` is the camera's local time in ISO 8601 (with offset where the file
    has one), `latitude` and `longitude` are degrees (north and east positive).
    """

    format: str
    width: int
    height: int
    size: int
    taken: str = ""
    latitude: float | None = None
    longitude: float | None = None
    camera: str = ""
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo of a thread: `P<number>`, identified by the SHA-256 of its bytes."""

    number: int
    sha256: str
    name: str
    facts: PhotoFacts
    author: str
    at: float
    message: str = ""

    @property
    def label(self) -> str:
        """What people call it: its number and its file name, if it has one."""
        return f"P{self.number} {self.name}".rstrip()


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What a video file says of itself, and what a pass through its packets found.

    `format` is the real one ("MP4 video"), `codec` the picture's ("h264"), `width` and `height`
    upright pixels, `size` its bytes, `seconds` its length, `rate` frames a second on average.
    `sound` tells whether it has a sound track, `hdr` that its brightness goes beyond that of
    usual screens. The rest is as in `PhotoFacts`.
    """

    format: str
    codec: str
    width: int
    height: int
    size: int
    seconds: float
    rate: float
    sound: bool = False
    hdr: bool = False
    taken: str = ""
    latitude: float | None = None
    longitude: float | None = None
    camera: str = ""
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Video:
    """A video of a thread: `V<number>`, identified by the SHA-256 of its bytes."""

    number: int
    sha256: str
    name: str
    facts: VideoFacts
    author: str
    at: float
    message: str = ""

    @property
    def label(self) -> str:
        """What people call it: its number and its file name, if it has one."""
        return f"V{self.number} {self.name}".rstrip()


Why = Literal["question", "change", "spread", "asked"]
"""Why a frame was chosen.

It fits the question, something changes in it, it stands for its stretch of time, or people or the
model asked for it.
"""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A frame that went to the model, by its number (`bot.frames`).

    `score` is how well it fits, from 0 to 1; `means` what told so ("embedding", "words",
    "changes").
    """

    frame: int
    why: Why
    score: float = 0.0
    means: str = ""

    @property
    def video(self) -> int:
        """The number of the video that it is of."""
        return video_of(self.frame)


@dataclass(frozen=True, slots=True)
class Heard:
    """What was spoken in video `V<video>` between two times, in seconds."""

    video: int
    start: float
    end: float
    phrases: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What vision saw in photo `P<photo>`, or in the frame that has that number."""

    photo: int
    sighting: Sighting


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
    sightings: tuple[Seen, ...] = ()
    outlines: tuple[Outline, ...] = ()
    grounding: tuple[Span, ...] = ()
    videos: tuple[int, ...] = ()
    frames: tuple[Chosen, ...] = ()
    heard: tuple[Heard, ...] = ()

    @property
    def told(self) -> bool:
        """Whether it belongs to the conversation: it has an answer, even one that was stopped."""
        return bool(self.answer) and self.status != "failed"


@dataclass(frozen=True, slots=True)
class Past:
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


SettingName = Literal["system", "vision", "model", "watch", "pending", "taught"]
Settings = dict[str, str]
"""What was set in a thread or place by its people: name to value, absent when not set."""


class History(Protocol):
    """Reads what was committed, and keeps the settings that people make."""

    async def past(self, thread: Thread, newest: int = 0) -> Past:
        """Read the last committed state of a thread; what is past its retention is left out.

        With `newest` only so many turns are read.
        """
        ...

    async def settings(self, where: Thread | Place) -> Settings:
        """Read the settings made at a thread or a place."""
        ...

    async def set(self, where: Thread | Place, name: SettingName, value: str | None) -> None:
        """Write one setting, or remove it with None."""
        ...

    async def clear(self, where: Thread | Place) -> None:
        """Remove all settings made at a thread or a place."""
        ...

    async def once_a_day(self, what: str, place: Place) -> bool:
        """Tell whether this is the first time within a day, and remember that it was asked."""
        ...
