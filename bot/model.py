"""The port to a model: a request of text and pictures in, a stream of text out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from bot.history import PhotoFacts, Usage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words of a message."""

    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a message: a JPEG, upright, without metadata.

    `name` is what people call it ("P1 IMG_0042.jpg"); `sha256` identifies the original file.
    `numbers` are the photos it shows: one, or several on a contact sheet. `facts` has the facts
    of each of them, for a model that answers from facts.
    """

    name: str
    sha256: str
    jpeg: bytes = field(repr=False)
    width: int
    height: int
    numbers: tuple[int, ...] = ()
    facts: tuple[PhotoFacts, ...] = ()


Part = Text | Picture


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a request."""

    role: Role
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What a model is asked: its name (deployment), and the messages, the system's first."""

    model: str
    messages: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer, in order."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of an answer.

    `model` is what the service says answered, `finish` its reason for ending (`stop`, `length`,
    …), `refusal` names the field of the response that a refusal came in, if it was one.
    """

    model: str = ""
    usage: Usage = field(default_factory=Usage)
    finish: str = ""
    refusal: str = ""


class Model(Protocol):
    """Something that answers. Closing the generator closes the connection to it at once."""

    def answer(self, request: Request) -> AsyncGenerator[Delta | Finished]:
        """Stream the answer and end with `Finished`; raises `ModelProblem`.

        Retries happen inside and only before the first `Delta`.
        """
        ...
