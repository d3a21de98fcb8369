"""The port to a chat platform: what it can do, and what Loupe asks of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from bot.domain.outlines import Outline

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.messages import Address, Attachment, Message
    from bot.domain.size_limits import SizeLimits


_ENDING = re.compile(r"(?i)\.(jpe?g|png|hei[cf]|webp|gif|bmp|tiff?)$")


class Stage(StrEnum):
    """How complete the text of a message is.

    `OPENING` and `PROGRESS` are placeholders that may be replaced ("Looking at 2 photos…"),
    `GROWING` is the answer so far, each text beginning with the one before, `FINAL` is the end.
    """

    OPENING = "opening"
    PROGRESS = "progress"
    GROWING = "growing"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message: its title, and the command that a press sends."""

    title: str
    command: str


@dataclass(frozen=True, slots=True)
class Citation:
    """What `[number]` in a text refers to: a name, and where to find it, both as plain text."""

    number: int
    name: str
    abstract: str


@dataclass(frozen=True, slots=True)
class Post:
    """A text to show, as Markdown of the common subset.

    `live`: the text will grow from a model, so a channel may open a stream for it;
    `is_generated`: it needs the AI-generated label; `is_stopped`: the user stopped it.
    `citations` explain numbers in the text, which need not contain all of them.
    """

    text: str
    stage: Stage = Stage.FINAL
    live: bool = False
    is_generated: bool = False
    is_stopped: bool = False
    buttons: tuple[Button, ...] = ()
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class FrameAttachment:
    """One frame of a video, shown together with others.

    `name` is what people call it ("V1 0:12.4"), `alt` says in words what it shows, and `jpeg` is
    the upright frame without its `outlines`.
    """

    name: str
    alt: str
    jpeg: bytes = field(repr=False)
    outlines: tuple[Outline, ...] = ()


@dataclass(frozen=True, slots=True)
class PictureAttachment:
    """A photo with outlines, or frames of a video, to show after the text that cites them.

    `jpeg` has the outlines drawn on it, at most `PICTURE_SIDE` pixels long and `PICTURE_BYTES`
    large; `small` is the same in at most `SMALL_PICTURE_BYTES`. `photo` is the upright JPEG
    without them, for a channel that draws `outlines` itself. `name` is what people call it ("P1
    IMG_0042.heic"), and `alt` says in words what it shows.

    With `frames` it is a contact sheet of them, their outlines drawn on it, and `photo` is the
    same: a channel shows either the sheet or the frames, which come in the order of their times.
    """

    name: str
    alt: str
    jpeg: bytes = field(repr=False)
    small: bytes = field(repr=False)
    photo: bytes = field(repr=False)
    outlines: tuple[Outline, ...] = ()
    frames: tuple[FrameAttachment, ...] = ()

    @property
    def file_name(self) -> str:
        """The name with the extension of a JPEG file instead of the photo's own."""
        return f"{_ENDING.sub('', self.name)}.jpg"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do at one address."""

    edits: bool = True
    """A message can be changed after it was posted."""
    pace: float = 2.0
    """Least seconds between two edits of one message."""
    text_limit: int = 20_000
    """Most characters (code points) of one message."""
    files: bool = False
    """Loupe can send a file."""
    pictures: bool = False
    """Loupe can send a picture."""
    earlier_messages: bool = False
    """The messages before a question can be listed."""
    prefix: str = "/"
    """What people write before the name of a command."""
    streams: bool = False
    """An answer grows in the platform's own way."""
    stop_button: bool = False
    """The platform has a Stop button of its own."""
    links: bool = True
    """An address that people wrote may be a link in an answer, as no preview of it is fetched."""
    edit_events: bool = False
    """Edits and deletions of questions are delivered."""
    private_posts: bool = False
    """Only one person can read what is posted."""
    attachments: bool = True
    """Attached files are delivered, not only pasted pictures."""


class DeliveryUnknown(Exception):
    """A post that may have arrived: repeating it could show it twice."""


class ConversationGone(Exception):
    """The conversation no longer takes posts (left, deleted, blocked)."""


class DeliveryRefused(Exception):
    """The platform did not accept a post; trying again later may help.

    `after` is the number of seconds to wait before that.
    """

    after: float = 0.0


class StoppedByUser(Exception):
    """The user pressed the platform's own Stop button: the answer ends where it is."""


class Channel(Protocol):
    """A chat platform. Every call limits its own time and retries what is safe to repeat.

    A `post` is retried only if the platform certainly refused it (429, 412); an `edit` after any
    temporary error.
    """

    name: str

    def capabilities(self, address: Address) -> Capabilities:
        """Return what can be done at an address."""
        ...

    async def post(self, address: Address, post: Post) -> str:
        """Show a new message and return its id; raises `DeliveryUnknown`, `ConversationGone`."""
        ...

    async def edit(self, address: Address, message_id: str, post: Post) -> None:
        """Change a message of ours.

        Raises `DeliveryUnknown`, `ConversationGone`, `StoppedByUser`.
        """
        ...

    async def send_file(self, address: Address, name: str, media_type: str, data: bytes) -> None:
        """Send a file, where `capabilities().files`.

        Raises `DeliveryUnknown`, `ConversationGone`.
        """
        ...

    async def send_picture(self, address: Address, picture: PictureAttachment) -> None:
        """Send a picture, where `capabilities().pictures`.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.

        `DeliveryRefused` also if the platform accepts not even the smaller version.
        """
        ...

    async def fetch(
        self, address: Address, file: Attachment, into: Path, allowance: SizeLimits
    ) -> bool:
        """Write a file's bytes to `into`, no more than is allowed; raises `FileProblem`.

        Returns false where the platform gave only a smaller copy of it.
        """
        ...

    async def run_task(self, message: Message) -> None:
        """Run a background task of the channel, accepted as a message of kind `channel`."""
        ...

    async def add_details(self, message: Message) -> Message:
        """Return a message with what only the platform knows, such as names; never fails."""
        ...

    async def earlier_messages(self, message: Message) -> tuple[Message, ...] | None:
        """List the posts with pictures before a message in its thread, oldest first.

        Only where `capabilities().earlier_messages`; None while the platform cannot list them.
        """
        ...
