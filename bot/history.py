"""What a thread remembers: turns, photos, and the request that was sent last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bot.grounding import Outline, Span
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
class Seen:
    """What vision saw in photo `P<photo>`."""

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
    is why a turn failed. `sightings` are those that were made for it, `outlines` what was outlined
    for people, and `grounding` says which words of the answer stand for what.
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

    @property
    def sightings(self) -> dict[int, Sighting]:
        """What was seen in photos, by number, as last looked at."""
        return {seen.photo: seen.sighting for turn in self.turns for seen in turn.sightings}

    @property
    def next_number(self) -> int:
        """The number of the next new photo."""
        return max((photo.number for photo in self.photos), default=0) + 1


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

    async def once_a_day(self, what: str, place: Place) -> bool:
        """Tell whether this is the first time within a day, and remember that it was asked."""
        ...
