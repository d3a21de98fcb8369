"""Streaming in personal Teams chats: a message that grows chunk by chunk.

https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.chat.streaming import StreamState
from adapters.teams import render
from bot import strings as texts
from bot.clock import Clock

if TYPE_CHECKING:
    from adapters.chat.streaming import Stream
    from adapters.teams.addresses import TeamsAddress
    from adapters.teams.connector import Connector
    from bot.ports.channel import Post

GAP = 1.05
"""Least seconds between two requests of a stream; Teams accepts one per second."""
INFORMATIVE_LIMIT = 1000
"""Most characters of an informative chunk."""


class TeamsStreamTransport:
    """Implements `adapters.chat.streaming.StreamTransport`: a chunk is a post with a stream id."""

    single = True

    def __init__(self, connector: Connector, clock: Clock | None = None) -> None:
        self._connector = connector
        self._clock = clock or Clock()

    def chat(self, address: TeamsAddress) -> tuple[str, ...]:
        """Return the key of an address's chat: service URL, tenant and conversation."""
        return address.service, address.tenant, address.conversation

    def text(self, post: Post) -> str:
        """Return the text of a post for Teams; empty if it becomes a card."""
        return "" if post.buttons else render.text(post)

    async def open(self, stream: Stream, post: Post) -> str:
        """Open a stream with an informative chunk and return its id."""
        return await self._send(stream, _informative_chunk(stream, post))

    async def hint(self, stream: Stream, post: Post) -> None:
        """Send another informative chunk."""
        await self._send(stream, _informative_chunk(stream, post), brief=True)

    async def grow(self, stream: Stream, text: str) -> None:
        """Send the whole text so far."""
        await self._send(stream, _text_chunk(stream, "typing", text, "streaming"), brief=True)

    async def close(self, stream: Stream, post: Post | None) -> None:
        """Send the final message; if edits continue it, retry for a few seconds only."""
        edits_continue = stream.state is StreamState.OVER
        if post is None or edits_continue:
            text = stream.text or (render.text(post) if post else "") or texts.MORE
            activity = _text_chunk(stream, "message", text, "final")
        else:
            activity = render.message(stream.address, post)
            activity["entities"] = [*activity.get("entities", ()), _stream_info(stream, "final")]
        await self._send(stream, activity, repeatable=not edits_continue, brief=edits_continue)

    async def _send(
        self,
        stream: Stream,
        activity: dict[str, Any],
        *,
        repeatable: bool = False,
        brief: bool = False,
    ) -> str:
        """Send a request of a stream at the pace that Teams accepts; return the activity's id."""
        wait = stream.last + GAP - self._clock.now()
        if wait > 0 and stream.id:
            await self._clock.sleep(wait)
        service, conversation = stream.address.service, stream.address.conversation
        try:
            return await self._connector.post(
                service, conversation, activity, repeatable=repeatable, brief=brief
            )
        finally:
            stream.last = self._clock.now()


def _informative_chunk(stream: Stream, post: Post) -> dict[str, Any]:
    return render.base(stream.address, "typing") | {
        "text": render.text(post)[:INFORMATIVE_LIMIT],
        "entities": [_stream_info(stream, "informative")],
    }


def _text_chunk(stream: Stream, kind: str, text: str, chunk: str) -> dict[str, Any]:
    return render.base(stream.address, kind) | {
        "text": text,
        "textFormat": "markdown",
        "entities": [_stream_info(stream, chunk)],
    }


def _stream_info(stream: Stream, kind: str) -> dict[str, Any]:
    """Return the entity that identifies a chunk; the final one has no number."""
    info: dict[str, Any] = {"type": "streaminfo", "streamType": kind}
    if stream.id:
        info["streamId"] = stream.id
    if kind != "final":
        info["streamSequence"] = stream.sequence
    return info
