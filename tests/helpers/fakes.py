"""Small recording stand-ins for our own ports, so that each room is tested alone."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from bot import clock
from bot.domain.history import Usage
from bot.domain.sightings import Sighting
from bot.ports.channel import (
    Capabilities,
    ConversationGone,
    DeliveryRefused,
    Post,
    Stage,
)
from bot.ports.model import Delta, Finished, Request, TextPart
from bot.video.chooser import Chooser
from bot.video.context import VideoContexts
from bot.video.footage import FrameStore
from bot.video.transcription import Transcriber

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from bot.attachments.store import AttachmentStore
    from bot.domain.messages import Address, Attachment, Message
    from bot.domain.size_limits import SizeLimits
    from bot.limits import Limits
    from bot.ports.channel import PictureAttachment
    from bot.ports.embedding import Embedding
    from bot.ports.speech import Speech

T = TypeVar("T")


@dataclass
class RecordedMessage:
    """A message as people see it: its texts over time."""

    id: str
    posts: list[Post] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.posts[-1].text

    @property
    def growing(self) -> list[str]:
        """The texts of the answer, placeholders left out."""
        return [p.text for p in self.posts if p.stage in (Stage.GROWING, Stage.FINAL)]


class FakeChannel:
    """A channel that shows everything; `faults` are raised by the next sends, in order.

    `picture_faults` are those of pictures, which are not shown then.
    A fault `DeliveryUnknown` comes after the message was shown, which is the worst of its cases.
    """

    name = "fake"

    def __init__(self, **capabilities: Any) -> None:
        self._capabilities = Capabilities(**{"pace": 0.01, **capabilities})
        self.messages: list[RecordedMessage] = []
        self.files: list[tuple[str, bytes]] = []
        self.pictures: list[PictureAttachment] = []
        self.picture_faults: list[BaseException] = []
        self.uploads: dict[str, bytes] = {}
        self.tasks: list[Message] = []
        self.names: dict[str, str] = {}
        self.previous_messages: tuple[Message, ...] = ()
        self.faults: list[BaseException] = []
        self.changed = asyncio.Condition()

    def capabilities(self, address: Address) -> Capabilities:
        return self._capabilities

    async def post(self, address: Address, post: Post) -> str:
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, ConversationGone | DeliveryRefused):
            raise fault
        if not self._capabilities.edits and post.stage is not Stage.FINAL:
            return ""
        message = RecordedMessage(f"b{len(self.messages) + 1}", [post])
        self.messages.append(message)
        await self._tell()
        if fault is not None:
            raise fault
        return message.id

    async def edit(self, address: Address, message_id: str, post: Post) -> None:
        next(m for m in self.messages if m.id == message_id).posts.append(post)
        await self._tell()
        if self.faults:
            raise self.faults.pop(0)

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def until(self, text: str, timeout: float = 30) -> RecordedMessage:
        """Wait for a message that shows a text."""
        async with asyncio.timeout(timeout), self.changed:
            while not (matches := [m for m in self.messages if text in m.text]):
                await self.changed.wait()
            return matches[0]

    async def send_file(self, address: Address, name: str, media_type: str, data: bytes) -> None:
        self.files.append((name, data))

    async def send_picture(self, address: Address, picture: PictureAttachment) -> None:
        if self.picture_faults:
            raise self.picture_faults.pop(0)
        self.pictures.append(picture)

    async def fetch(
        self, address: Address, file: Attachment, into: Path, allowance: SizeLimits
    ) -> bool:
        into.write_bytes(self.uploads[file.source["id"]])
        return not file.source.get("smaller")

    async def run_task(self, message: Message) -> None:
        self.tasks.append(message)

    async def add_details(self, message: Message) -> Message:
        author = replace(message.author, name=self.names.get(message.author.id, ""))
        return replace(message, author=author) if author.name else message

    async def earlier_messages(self, message: Message) -> tuple[Message, ...] | None:
        return self.previous_messages


class ScriptedModel:
    """A model that says what a function of the last words says, piece by piece.

    `gate` holds every answer back after its first piece until it is set.
    """

    def __init__(self, *pieces: str, echo: bool = False) -> None:
        self.pieces = pieces or ("A red ", "car.")
        self._echo = echo
        self.name = "gpt-test"
        self.requests: list[Request] = []
        self.closed = 0
        self.gate: asyncio.Event | None = None
        self.problem: Exception | None = None
        self.tools = True

    def takes_tools(self, model: str) -> bool:
        return self.tools

    async def answer(self, request: Request) -> AsyncGenerator[Delta | Finished]:
        self.requests.append(request)
        words = [part.text for part in request.messages[-1].parts if isinstance(part, TextPart)]
        pieces = (f"You said: {words[-1]}",) if self._echo else self.pieces
        try:
            for index, piece in enumerate(pieces):
                if index == 1 and self.gate is not None:
                    await self.gate.wait()
                yield Delta(piece)
                await asyncio.sleep(0)
            if self.problem is not None:
                raise self.problem
            yield Finished(self.name, Usage(10, 5), "stop")
        finally:
            self.closed += 1


class FakeVision:
    """Sees in every picture what it is told; `problem` is raised instead.

    `sightings` are those of the next pictures, in order, before `always`; `gate` holds every look
    back until it is set.
    """

    def __init__(self, *sightings: Sighting) -> None:
        self.sightings = list(sightings)
        self.always = Sighting(engine="fake")
        self.problem: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.looks: list[tuple[bytes, bytes]] = []

    async def look(
        self, jpeg: bytes, original: Path | None = None, *, upright: bool = False
    ) -> Sighting:
        self.looks.append((jpeg, original.read_bytes() if original else b""))
        sighting = self.sightings.pop(0) if self.sightings else self.always
        if self.gate is not None:
            await self.gate.wait()
        if self.problem is not None:
            raise self.problem
        return sighting

    async def check(self) -> str:
        return "It stands well."

    async def close(self) -> None:
        pass


class InProcessSandbox:
    """Calls at once what `bot.sandbox` would call in another process."""

    async def run(self, function: Callable[..., T], *args: Any, seconds: float | None = None) -> T:
        return function(*args)


class FakeClock(clock.Clock):
    """A clock that passes only when somebody waits for it; `waits` are those waits."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        if not event.is_set():
            await self.sleep(seconds)
        return event.is_set()


class FakeTime:
    """Stands in for `time.time`: may be put forward, and else stands still at `at` if given."""

    def __init__(self, at: float | None = None) -> None:
        self._real = time.time
        self._at = at
        self._ahead = 0.0

    def __call__(self) -> float:
        return (self._real() if self._at is None else self._at) + self._ahead

    def forward(self, seconds: float) -> None:
        self._ahead += seconds


def build_video_parts(
    children: Any,
    blobs: Any,
    gallery: AttachmentStore,
    limits: Limits,
    vision: Any,
    embedding: Embedding | None = None,
    speech: Speech | None = None,
) -> tuple[FrameStore, VideoContexts]:
    """Build what videos need."""
    footage = FrameStore(children, blobs, gallery, limits.files, limits.videos)
    chooser = Chooser(vision, embedding, limits.turns)
    hearing = Transcriber(speech, children, gallery, limits.files, limits.videos)
    return footage, VideoContexts(
        footage, chooser, hearing, limits.files, limits.videos, limits.requests
    )
