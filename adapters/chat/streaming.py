"""Streams: messages that the platform itself lets grow, chunk by chunk, until they are closed.

What is sent for each step depends on the platform, as a `StreamTransport`. When it is sent, and
what a refusal means for the message, is the same everywhere.
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

FORGET_SECONDS = 3600.0
"""Seconds after which an unfinished stream is forgotten."""


class StreamEnded(DeliveryRefused):
    """A chunk that is refused because of the stream it belongs to.

    `is_cancelled`: the user pressed the platform's own Stop button. `is_late`: a later chunk
    overtook this one, and the stream continues. Otherwise the stream is over, and edits continue
    its message.
    """

    is_cancelled: bool = False
    is_late: bool = False


class StreamState(StrEnum):
    """Whether chunks are accepted; `OVER` is continued by edits, `CANCELLED` is not."""

    RUNNING = "running"
    OVER = "over"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Stream:
    """A stream of ours: `text` is what people may have seen of the answer.

    `opened_at` and `last` are the clock's seconds when it began and when its last request ended,
    `sequence` is the number of the current chunk. `last` and `has_placeholder` (whether a
    placeholder stands before the words) belong to the transport.
    """

    address: Address
    opened_at: float
    last: float
    id: str = ""
    sequence: int = 1
    text: str = ""
    has_placeholder: bool = False
    state: StreamState = StreamState.RUNNING


class StreamTransport(Protocol):
    """How a platform carries streams.

    Each request has its own time limit and raises `DeliveryUnknown`, `ConversationGone`,
    `DeliveryRefused`, or `StreamEnded` if the stream is the reason.
    """

    @property
    def single(self) -> bool:
        """Whether a chat allows only one stream at a time."""
        ...

    def chat(self, address: Address) -> tuple[str, ...]:
        """Return the key of an address's chat, within which message ids are unique."""
        ...

    def text(self, post: Post) -> str:
        """Return the text of a post as people read it; empty if a stream cannot show it."""
        ...

    async def open(self, stream: Stream, post: Post) -> str:
        """Open a stream with a placeholder and return the id of its message."""
        ...

    async def hint(self, stream: Stream, post: Post) -> None:
        """Replace the placeholder; called before the first words only."""
        ...

    async def grow(self, stream: Stream, text: str) -> None:
        """Show the whole text so far; `stream.text` is the previous one."""
        ...

    async def close(self, stream: Stream, post: Post | None) -> None:
        """Close a stream with the text of a post, or else with the text that it shows.

        A stream that is `StreamState.OVER` is continued by edits, which carry what is lost here.
        """
        ...


class Streams:
    """The streams that this process has open."""

    def __init__(
        self, transport: StreamTransport, seconds: float, clock: Clock | None = None
    ) -> None:
        self._transport = transport
        self._seconds = seconds
        self._clock = clock or Clock()
        self._running: dict[tuple[str, ...], Stream] = {}
        self._by_id: dict[tuple[tuple[str, ...], str], Stream] = {}

    def text(self, post: Post) -> str:
        """Return the text of a post as people read it."""
        return self._transport.text(post)

    def free(self, address: Address) -> bool:
        """Return whether a stream may be opened in the chat."""
        running = self._running.get(self._transport.chat(address))
        return running is None or self._age(running) > self._seconds

    async def open(self, address: Address, post: Post) -> str:
        """Open a stream with a placeholder; returns the id of its message.

        Raises `DeliveryUnknown`, and `DeliveryRefused` or `ConversationGone` if the chat has no
        streams.
        """
        self._forget_old()
        now = self._clock.now()
        stream = Stream(address, opened_at=now, last=now)
        chat = self._transport.chat(address)
        if self._transport.single:
            self._running[chat] = stream
        try:
            stream.id = await self._transport.open(stream, post)
        except BaseException:
            self._end(stream)
            raise
        self._by_id[chat, stream.id] = stream
        return stream.id

    async def show(self, address: Address, message_id: str, post: Post) -> bool:
        """Send an edit as a chunk; returns False if the message has to be edited instead.

        Raises `StoppedByUser`.
        """
        key = self._transport.chat(address), message_id
        stream = self._by_id.get(key)
        if stream is None:
            return False
        final = post.stage is Stage.FINAL
        try:
            if stream.state is StreamState.RUNNING:
                return await (self._finish if final else self._grow)(stream, post)
            if stream.state is StreamState.CANCELLED and not post.is_stopped:
                raise StoppedByUser
            return stream.state is StreamState.CANCELLED
        finally:
            if final:
                self._end(stream)
                self._by_id.pop(key, None)

    async def _grow(self, stream: Stream, post: Post) -> bool:
        if self._age(stream) > self._seconds:
            await self._retire(stream, post)
        elif post.stage is not Stage.GROWING:
            if not stream.text:
                stream.sequence += 1
                await self._try(stream, self._transport.hint(stream, post))
        else:
            text = self._transport.text(post)
            if text != stream.text and text.startswith(stream.text):
                stream.sequence += 1
                await self._try(stream, self._extend(stream, text))
        return stream.state is StreamState.RUNNING

    async def _extend(self, stream: Stream, text: str) -> None:
        """Send a longer text; unless that is refused, people may have seen it."""
        shown_text = text
        try:
            await self._transport.grow(stream, text)
        except DeliveryRefused:
            shown_text = stream.text
            raise
        finally:
            stream.text = shown_text

    async def _try(self, stream: Stream, chunk: Awaitable[None]) -> None:
        """Send a chunk; if that fails, the next one carries its text."""
        try:
            await chunk
        except StreamEnded as refusal:
            self._apply(stream, refusal)
        except (DeliveryUnknown, DeliveryRefused) as error:
            log.info("chunk_not_shown", why=str(error))

    async def _retire(self, stream: Stream, post: Post) -> None:
        """Close a stream before the platform ends it; edits continue its message."""
        stream.state = StreamState.OVER
        await self._try(stream, self._transport.close(stream, None if stream.text else post))
        self._end(stream)

    async def _finish(self, stream: Stream, post: Post) -> bool:
        """Close the stream with the whole text, or as it is if the text does not continue it."""
        text = self._transport.text(post)
        grows = bool(text) and text.startswith(stream.text)
        try:
            await self._transport.close(stream, post if grows or not stream.text else None)
        except StreamEnded as refusal:
            self._apply(stream, refusal, is_stopped=post.is_stopped)
            return stream.state is StreamState.CANCELLED
        except (DeliveryUnknown, DeliveryRefused) as error:
            log.info("stream_not_closed", why=str(error))
            return False
        return grows

    def _apply(self, stream: Stream, refusal: StreamEnded, *, is_stopped: bool = False) -> None:
        """Apply a refusal: a late chunk is ignored, anything else ends the stream."""
        if refusal.is_cancelled:
            stream.state = StreamState.CANCELLED
            self._end(stream)
            if not is_stopped:
                raise StoppedByUser
        elif not refusal.is_late:
            log.info("stream_ended", why=str(refusal))
            stream.state = StreamState.OVER
            self._end(stream)

    def _age(self, stream: Stream) -> float:
        return self._clock.now() - stream.opened_at

    def _end(self, stream: Stream) -> None:
        chat = self._transport.chat(stream.address)
        if self._running.get(chat) is stream:
            del self._running[chat]

    def _forget_old(self) -> None:
        for key, stream in list(self._by_id.items()):
            if self._age(stream) > FORGET_SECONDS:
                self._end(stream)
                del self._by_id[key]
