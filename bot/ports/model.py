"""The port to a model: a request of text and pictures in, a stream of text and calls out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from bot.domain.files import PhotoFacts, Phrase, VideoFacts
from bot.domain.history import Usage
from bot.domain.outlines import Span
from bot.domain.sightings import Sighting

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class TextPart:
    """Words of a message."""

    text: str


@dataclass(frozen=True, slots=True)
class VideoIntroduction(TextPart):
    """Words that introduce a video, with the facts in them for a model that answers from facts.

    `name` is what people call it ("V1 crash.mp4"). `frames` are the numbers of those that stand
    beside it as pictures, `changes` the times at which it changes most, and `phrases` what is
    spoken in it.
    """

    name: str
    sha256: str
    facts: VideoFacts
    frames: tuple[int, ...] = ()
    changes: tuple[float, ...] = ()
    phrases: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a message: a JPEG, upright, without metadata.

    `name` is what people call it ("P1 IMG_0042.jpg"); `sha256` identifies the original file.
    `numbers` are the photos or frames (`bot.domain.frame_ids`) it shows: one, or several on a
    contact sheet. `facts` has the facts of each photo, and `sighting` what vision saw in a single
    one, for a model that answers from facts.
    """

    name: str
    sha256: str
    jpeg: bytes = field(repr=False)
    width: int
    height: int
    numbers: tuple[int, ...] = ()
    facts: tuple[PhotoFacts, ...] = ()
    sighting: Sighting | None = None


Part = TextPart | Picture


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that a model may call; `parameters` is the JSON Schema of an object."""

    name: str
    description: str
    parameters: dict[str, Any]


def strict_tool(name: str, description: str, **properties: Any) -> Tool:
    """Describe a tool by a schema that strict services take: all is required, nothing else."""
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return Tool(name, description, schema)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool: `arguments` is what the model wrote as JSON, which may be none.

    Calls come after all words of an answer, before its `Finished`.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a request.

    A message of the assistant may hold calls; each is answered by a message of the role "tool",
    of words only, whose `answers` is the id of the call.
    """

    role: Role
    parts: tuple[Part, ...]
    calls: tuple[ToolCall, ...] = ()
    answers: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What a model is asked: its name (deployment), and the messages, the system's first.

    `tools` are those it may call, or with `may_call` false only sees, because earlier messages
    hold calls of them. `vision` lets a service use vision enhancements that it has of its own.
    """

    model: str
    messages: tuple[ChatMessage, ...]
    tools: tuple[Tool, ...] = ()
    may_call: bool = True
    vision: bool = True


@dataclass(frozen=True, slots=True)
class Delta:
    """A chunk of the answer; chunks come in order."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of an answer.

    `model` is the name that the service returns, `finish` its reason for ending (`stop`, `length`,
    `tool_calls`, …), `refusal` the field of the response that held a refusal, if it was one.
    `had_tools` is whether the model got the request's tools, which not every server accepts.
    `grounding` is what words refer to according to the service, None where it does not say; its
    offsets are those of the model's own words, before they were made safe to show.
    """

    model: str = ""
    usage: Usage = field(default_factory=Usage)
    finish: str = ""
    refusal: str = ""
    had_tools: bool = False
    grounding: tuple[Span, ...] | None = None


class Model(Protocol):
    """Something that answers. Closing the generator closes the connection to it at once."""

    def takes_tools(self, model: str) -> bool:
        """Return whether a model may call tools, as far as is known."""
        ...

    def answer(self, request: Request) -> AsyncGenerator[Delta | ToolCall | Finished]:
        """Stream the answer and end with `Finished`; raises `ModelProblem`.

        Retries happen inside and only before the first `Delta`.
        """
        ...
