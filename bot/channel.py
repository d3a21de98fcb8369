"""The port to a chat platform: what it can do, and the few things asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from bot.messages import Address, Attachment, Message


class Stage(StrEnum):
    """How far a text message has come.

    `OPENING` and `PROGRESS` are placeholders that may be replaced ("Looking at 2 photos…"),
    `GROWING` is the answer so far, each text beginning with the one before, `FINAL` is the end.
    """

    OPENING = "opening"
    PROGRESS = "progress"
    GROWING = "growing"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Button:
    """A choice under a message: what it says, and the command that pressing it sends."""

    title: str
    command: str


@dataclass(frozen=True, slots=True)
class Post:
    """A text to show, as Markdown of the common subset.

    `live` says that the text will grow from a model, so a channel may open a stream for it;
    `generated` asks for the AI-generated label; `stopped` marks text that the user stopped.
    """

    text: str
    stage: Stage = Stage.FINAL
    live: bool = False
    generated: bool = False
    stopped: bool = False
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a channel can do at one address.

    `edits`: a sent text can be changed; `pace`: least seconds between two edits of one message;
    `text_limit`: most characters (code points) of one message; `files`: it takes a file.
    """

    edits: bool = True
    pace: float = 2.0
    text_limit: int = 20_000
    files: bool = False


class Unclear(Exception):
    """A post that may or may not have arrived: repeating it could show it twice."""


class Gone(Exception):
    """The conversation no longer takes posts (left, deleted, blocked): nothing can be said."""


class Refused(Exception):
    """The platform surely did not take it, now; trying the whole again later may help."""


class StoppedByUser(Exception):
    """The user pressed the platform's own Stop: the answer ends where it is."""


class Channel(Protocol):
    """A chat platform. Every call bounds its own time and repeats what is safe to repeat.

    A `post` is repeated only where the platform surely refused it (429, 412); an `edit` on any
    passing error.
    """

    name: str

    def abilities(self, address: Address) -> Abilities:
        """Tell what can be done at an address."""
        ...

    async def post(self, address: Address, post: Post) -> str:
        """Show a new message and return its id; raises `Unclear`, `Gone`."""
        ...

    async def edit(self, address: Address, sent: str, post: Post) -> None:
        """Change a message of ours; raises `Unclear`, `Gone`, `StoppedByUser`."""
        ...

    async def send_file(self, address: Address, name: str, media_type: str, data: bytes) -> None:
        """Hand over a file, where `abilities().files`; raises `Unclear`, `Gone`."""
        ...

    async def fetch(self, address: Address, file: Attachment, into: Path, limit: int) -> None:
        """Write a file's bytes to `into`, at most `limit` bytes; raises `FileProblem`."""
        ...

    async def carry_on(self, message: Message) -> None:
        """Do the channel's own work that was accepted as a message of kind `channel`."""
        ...
