"""Native streaming in personal Teams chats: one growing message, chunk by chunk.

https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import structlog

from adapters.retries import Clock
from adapters.teams import posts
from adapters.teams.refusals import StreamRefused
from bot import texts
from bot.channel import Refused, Stage, StoppedByUser, Unclear

if TYPE_CHECKING:
    from adapters.teams.connector import Connector
    from adapters.teams.limits import TeamsLimits
    from bot.channel import Post
    from bot.messages import Address

log = structlog.get_logger()

GAP = 1.05
"""Seconds between two requests of a stream; Teams takes one a second."""
INFORMATIVE_LIMIT = 1000
"""Most characters of an informative chunk."""
FORGET = 3600.0
"""Seconds after which a stream that nobody finished is forgotten."""

Chat = tuple[str, str, str]
"""Service URL, tenant and conversation: a personal chat."""


class State(StrEnum):
    """Whether chunks are taken: `over` goes on by plain edits, `cancelled` does not go on."""

    RUNNING = "running"
    OVER = "over"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Stream:
    """A stream of ours: `text` is what people may have seen of the answer."""

    chat: Chat
    opened: float
    last: float
    id: str = ""
    sequence: int = 1
    text: str = ""
    state: State = State.RUNNING


def chat_of(address: Address) -> Chat:
    """Name the chat of an address."""
    return address["service"], address.get("tenant", ""), address["conversation"]


class Streams:
    """The streams that this process has open; Teams takes one at a time in each chat."""

    def __init__(
        self, connector: Connector, limits: TeamsLimits, clock: Clock | None = None
    ) -> None:
        self._connector = connector
        self._limits = limits
        self._clock = clock or Clock()
        self._running: dict[Chat, Stream] = {}
        self._known: dict[tuple[Chat, str], Stream] = {}

    def free(self, address: Address) -> bool:
        """Tell whether a stream may be opened in the chat."""
        running = self._running.get(chat_of(address))
        return running is None or self._age(running) > self._limits.stream_seconds

    async def open(self, address: Address, post: Post) -> str:
        """Begin with an informative chunk; returns the id of the message to be.

        Raises `Unclear`, and `Refused` or `Gone` where there is no streaming.
        """
        self._forget_old()
        now = self._clock.now()
        stream = Stream(chat_of(address), opened=now, last=now)
        self._running[stream.chat] = stream
        try:
            stream.id = await self._post(stream, _informative(address, stream, post))
        except BaseException:
            self._end(stream)
            raise
        self._known[stream.chat, stream.id] = stream
        return stream.id

    async def show(self, address: Address, sent: str, post: Post) -> bool:
        """Carry an edit as a chunk; False where the message has to be edited in the plain way.

        Raises `StoppedByUser`.
        """
        stream = self._known.get((chat_of(address), sent))
        if stream is None:
            return False
        final = post.stage is Stage.FINAL
        try:
            if stream.state is State.RUNNING:
                return await (self._finish if final else self._grow)(stream, address, post)
            if stream.state is State.CANCELLED and not post.stopped:
                raise StoppedByUser
            return stream.state is State.CANCELLED
        finally:
            if final:
                self._end(stream)
                self._known.pop((stream.chat, sent), None)

    async def _grow(self, stream: Stream, address: Address, post: Post) -> bool:
        if self._age(stream) > self._limits.stream_seconds:
            await self._retire(stream, address, post)
        elif post.stage is not Stage.GROWING:
            if not stream.text:
                stream.sequence += 1
                await self._try(stream, _informative(address, stream, post))
        else:
            text = posts.text(post)
            if text != stream.text and text.startswith(stream.text):
                stream.sequence += 1
                stream.text = text
                await self._try(stream, _chunk(address, stream, text))
        return stream.state is State.RUNNING

    async def _try(self, stream: Stream, activity: dict[str, Any]) -> None:
        """Send a chunk; one that is lost is carried by the next."""
        try:
            await self._post(stream, activity, brief=True)
        except StreamRefused as refused:
            self._heed(stream, refused)
        except (Unclear, Refused) as error:
            log.info("chunk_not_shown", why=str(error))

    async def _retire(self, stream: Stream, address: Address, post: Post) -> None:
        """Close a stream before its time is over; plain edits go on from there."""
        activity = posts.base(address, "message") | {
            "text": stream.text or posts.text(post) or texts.MORE,
            "textFormat": "markdown",
            "entities": [_info(stream, "final")],
        }
        await self._try(stream, activity)
        self._end(stream)
        if stream.state is State.RUNNING:
            stream.state = State.OVER

    async def _finish(self, stream: Stream, address: Address, post: Post) -> bool:
        """Close the stream with the whole text, or with what it shows if that must not go on."""
        activity = posts.message(address, post)
        grows = "text" in activity and activity["text"].startswith(stream.text)
        if not grows and stream.text:
            activity = posts.base(address, "message") | {
                "text": stream.text,
                "textFormat": "markdown",
            }
        activity["entities"] = [*activity.get("entities", ()), _info(stream, "final")]
        try:
            await self._post(stream, activity, repeatable=True)
        except StreamRefused as refused:
            self._heed(stream, refused, stopped=post.stopped)
            return stream.state is State.CANCELLED
        except (Unclear, Refused) as error:
            log.info("stream_not_closed", why=str(error))
            return False
        return grows

    def _heed(self, stream: Stream, refused: StreamRefused, *, stopped: bool = False) -> None:
        """Learn from a refusal: a chunk out of order is only late, all else ends the stream."""
        if refused.cancelled:
            stream.state = State.CANCELLED
            self._end(stream)
            if not stopped:
                raise StoppedByUser
        elif not refused.late:
            log.info("stream_ended", why=refused.message)
            stream.state = State.OVER
            self._end(stream)

    async def _post(
        self,
        stream: Stream,
        activity: dict[str, Any],
        *,
        repeatable: bool = False,
        brief: bool = False,
    ) -> str:
        """Send a request of the stream, at the pace that Teams takes."""
        wait = stream.last + GAP - self._clock.now()
        if wait > 0 and stream.id:
            await self._clock.sleep(wait)
        service, _, conversation = stream.chat
        try:
            return await self._connector.post(
                service, conversation, activity, repeatable=repeatable, brief=brief
            )
        finally:
            stream.last = self._clock.now()

    def _age(self, stream: Stream) -> float:
        return self._clock.now() - stream.opened

    def _end(self, stream: Stream) -> None:
        if self._running.get(stream.chat) is stream:
            del self._running[stream.chat]

    def _forget_old(self) -> None:
        for key, stream in list(self._known.items()):
            if self._age(stream) > FORGET:
                self._end(stream)
                del self._known[key]


def _informative(address: Address, stream: Stream, post: Post) -> dict[str, Any]:
    return posts.base(address, "typing") | {
        "text": posts.text(post)[:INFORMATIVE_LIMIT],
        "entities": [_info(stream, "informative")],
    }


def _chunk(address: Address, stream: Stream, text: str) -> dict[str, Any]:
    return posts.base(address, "typing") | {
        "text": text,
        "textFormat": "markdown",
        "entities": [_info(stream, "streaming")],
    }


def _info(stream: Stream, kind: str) -> dict[str, Any]:
    """Make the entity that says which chunk this is; the final one has no number."""
    info: dict[str, Any] = {"type": "streaminfo", "streamType": kind}
    if stream.id:
        info["streamId"] = stream.id
    if kind != "final":
        info["streamSequence"] = stream.sequence
    return info
