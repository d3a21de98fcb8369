"""Streams: messages that a platform itself lets grow, chunk by chunk, until they are closed.

What is sent for each step is the platform's, a `StreamTransport`; when it is sent, and what a
refusal means for the message, is the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import structlog

from bot.clock import Clock
from bot.domain.messages import Address
from bot.ports.channel import DeliveryRefused, DeliveryUnknown, Stage, StoppedByUser

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bot.ports.channel import Post

log = structlog.get_logger()

FORGET = 3600.0
"""Seconds after which a stream that nobody finished is forgotten."""


class StreamEnded(DeliveryRefused):
    """A chunk that is not taken because of the stream it belongs to.

    `cancelled`: the user pressed the platform's own Stop; `late`: a later chunk overtook this one,
    and the stream goes on. Otherwise the stream is over, and its message goes on by edits.
    """

    cancelled: bool = False
    late: bool = False


class StreamState(StrEnum):
    """Whether chunks are taken: `over` goes on by plain edits, `cancelled` does not go on."""

    RUNNING = "running"
    OVER = "over"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Stream:
    """A stream of ours: `text` is what people may have seen of the answer.

    `opened` and `last` are the clock's seconds when it began and when its last request ended,
    `sequence` is the number of the chunk under way. `last` and `hinted` (that a placeholder stands
    before the words) are notes of the wire.
    """

    address: Address
    opened: float
    last: float
    id: str = ""
    sequence: int = 1
    text: str = ""
    hinted: bool = False
    state: StreamState = StreamState.RUNNING


class StreamTransport(Protocol):
    """How a platform carries streams; `single` tells that a chat takes one at a time.

    Each request bounds its own time and raises `DeliveryUnknown`, `ConversationGone`,
    `DeliveryRefused`, or `StreamEnded` where the stream is why.
    """

    @property
    def single(self) -> bool:
        """Whether a chat takes one stream at a time."""
        ...

    def chat(self, address: Address) -> tuple[str, ...]:
        """Name the chat of an address, which ids of messages are unique in."""
        ...

    def text(self, post: Post) -> str:
        """Tell what people would read of a post; empty where a stream cannot show it."""
        ...

    async def open(self, stream: Stream, post: Post) -> str:
        """Open a stream with a placeholder and return the id of the message to be."""
        ...

    async def hint(self, stream: Stream, post: Post) -> None:
        """Replace the placeholder; comes before the first words only."""
        ...

    async def grow(self, stream: Stream, text: str) -> None:
        """Show the whole text so far; `stream.text` is what stood before."""
        ...

    async def close(self, stream: Stream, post: Post | None) -> None:
        """Close a stream with the text of a post, or with what it shows.

        A stream that is `StreamState.OVER` goes on by edits, which carry what is lost here.
        """
        ...


class Streams:
    """The streams that this process has open."""

    def __init__(self, wire: StreamTransport, seconds: float, clock: Clock | None = None) -> None:
        self._wire = wire
        self._seconds = seconds
        self._clock = clock or Clock()
        self._running: dict[tuple[str, ...], Stream] = {}
        self._known: dict[tuple[tuple[str, ...], str], Stream] = {}

    def text(self, post: Post) -> str:
        """Tell what people would read of a post."""
        return self._wire.text(post)

    def free(self, address: Address) -> bool:
        """Tell whether a stream may be opened in the chat."""
        running = self._running.get(self._wire.chat(address))
        return running is None or self._age(running) > self._seconds

    async def open(self, address: Address, post: Post) -> str:
        """Begin with a placeholder; returns the id of the message to be.

        Raises `DeliveryUnknown`, and `DeliveryRefused` or `ConversationGone` where there is no
        streaming.
        """
        self._forget_old()
        now = self._clock.now()
        stream = Stream(address, opened=now, last=now)
        chat = self._wire.chat(address)
        if self._wire.single:
            self._running[chat] = stream
        try:
            stream.id = await self._wire.open(stream, post)
        except BaseException:
            self._end(stream)
            raise
        self._known[chat, stream.id] = stream
        return stream.id

    async def show(self, address: Address, sent: str, post: Post) -> bool:
        """Carry an edit as a chunk; False where the message has to be edited in the plain way.

        Raises `StoppedByUser`.
        """
        key = self._wire.chat(address), sent
        stream = self._known.get(key)
        if stream is None:
            return False
        final = post.stage is Stage.FINAL
        try:
            if stream.state is StreamState.RUNNING:
                return await (self._finish if final else self._grow)(stream, post)
            if stream.state is StreamState.CANCELLED and not post.stopped:
                raise StoppedByUser
            return stream.state is StreamState.CANCELLED
        finally:
            if final:
                self._end(stream)
                self._known.pop(key, None)

    async def _grow(self, stream: Stream, post: Post) -> bool:
        if self._age(stream) > self._seconds:
            await self._retire(stream, post)
        elif post.stage is not Stage.GROWING:
            if not stream.text:
                stream.sequence += 1
                await self._try(stream, self._wire.hint(stream, post))
        else:
            text = self._wire.text(post)
            if text != stream.text and text.startswith(stream.text):
                stream.sequence += 1
                await self._try(stream, self._extend(stream, text))
        return stream.state is StreamState.RUNNING

    async def _extend(self, stream: Stream, text: str) -> None:
        """Send a longer text; unless it is refused, people may have seen it."""
        seen = text
        try:
            await self._wire.grow(stream, text)
        except DeliveryRefused:
            seen = stream.text
            raise
        finally:
            stream.text = seen

    async def _try(self, stream: Stream, chunk: Awaitable[None]) -> None:
        """Send a chunk; one that is lost is carried by the next."""
        try:
            await chunk
        except StreamEnded as ended:
            self._heed(stream, ended)
        except (DeliveryUnknown, DeliveryRefused) as error:
            log.info("chunk_not_shown", why=str(error))

    async def _retire(self, stream: Stream, post: Post) -> None:
        """Close a stream before its time is over; plain edits go on from there."""
        stream.state = StreamState.OVER
        await self._try(stream, self._wire.close(stream, None if stream.text else post))
        self._end(stream)

    async def _finish(self, stream: Stream, post: Post) -> bool:
        """Close the stream with the whole text, or with what it shows if that must not go on."""
        text = self._wire.text(post)
        grows = bool(text) and text.startswith(stream.text)
        try:
            await self._wire.close(stream, post if grows or not stream.text else None)
        except StreamEnded as ended:
            self._heed(stream, ended, stopped=post.stopped)
            return stream.state is StreamState.CANCELLED
        except (DeliveryUnknown, DeliveryRefused) as error:
            log.info("stream_not_closed", why=str(error))
            return False
        return grows

    def _heed(self, stream: Stream, ended: StreamEnded, *, stopped: bool = False) -> None:
        """Learn from a refusal: a chunk out of order is only late, all else ends the stream."""
        if ended.cancelled:
            stream.state = StreamState.CANCELLED
            self._end(stream)
            if not stopped:
                raise StoppedByUser
        elif not ended.late:
            log.info("stream_ended", why=str(ended))
            stream.state = StreamState.OVER
            self._end(stream)

    def _age(self, stream: Stream) -> float:
        return self._clock.now() - stream.opened

    def _end(self, stream: Stream) -> None:
        chat = self._wire.chat(stream.address)
        if self._running.get(chat) is stream:
            del self._running[chat]

    def _forget_old(self) -> None:
        for key, stream in list(self._known.items()):
            if self._age(stream) > FORGET:
                self._end(stream)
                del self._known[key]
