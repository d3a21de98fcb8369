"""Native streaming in personal Teams chats: one growing message, chunk by chunk.

https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.chat.streaming import StreamState
from adapters.teams import render as posts
from bot import strings as texts
from bot.clock import Clock

if TYPE_CHECKING:
    from adapters.chat.streaming import Stream
    from adapters.teams.addresses import TeamsAddress
    from adapters.teams.connector import Connector
    from bot.ports.channel import Post

GAP = 1.05
"""Seconds between two requests of a stream; Teams takes one a second."""
INFORMATIVE_LIMIT = 1000
"""Most characters of an informative chunk."""


class TeamsStreamTransport:
    """Implements `StreamTransport`: each chunk is a post that names its stream."""

    single = True

    def __init__(self, connector: Connector, clock: Clock | None = None) -> None:
        self._connector = connector
        self._clock = clock or Clock()

    def chat(self, address: TeamsAddress) -> tuple[str, ...]:
        """Name the chat of an address: service URL, tenant and conversation."""
        return address.service, address.tenant, address.conversation

    def text(self, post: Post) -> str:
        """Translate the text of a post; empty where it becomes a card."""
        return "" if post.buttons else posts.text(post)

    async def open(self, stream: Stream, post: Post) -> str:
        """Begin with an informative chunk; the answer names the stream."""
        return await self._send(stream, _informative(stream, post))

    async def hint(self, stream: Stream, post: Post) -> None:
        """Send another informative chunk."""
        await self._send(stream, _informative(stream, post), brief=True)

    async def grow(self, stream: Stream, text: str) -> None:
        """Send the whole text so far."""
        await self._send(stream, _worded(stream, "typing", text, "streaming"), brief=True)

    async def close(self, stream: Stream, post: Post | None) -> None:
        """Send the final message; briefly, and once, where edits carry on."""
        goes_on = stream.state is StreamState.OVER
        if post is None or goes_on:
            text = stream.text or (posts.text(post) if post else "") or texts.MORE
            activity = _worded(stream, "message", text, "final")
        else:
            activity = posts.message(stream.address, post)
            activity["entities"] = [*activity.get("entities", ()), _info(stream, "final")]
        await self._send(stream, activity, repeatable=not goes_on, brief=goes_on)

    async def _send(
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
        service, conversation = stream.address.service, stream.address.conversation
        try:
            return await self._connector.post(
                service, conversation, activity, repeatable=repeatable, brief=brief
            )
        finally:
            stream.last = self._clock.now()


def _informative(stream: Stream, post: Post) -> dict[str, Any]:
    return posts.base(stream.address, "typing") | {
        "text": posts.text(post)[:INFORMATIVE_LIMIT],
        "entities": [_info(stream, "informative")],
    }


def _worded(stream: Stream, kind: str, text: str, chunk: str) -> dict[str, Any]:
    return posts.base(stream.address, kind) | {
        "text": text,
        "textFormat": "markdown",
        "entities": [_info(stream, chunk)],
    }


def _info(stream: Stream, kind: str) -> dict[str, Any]:
    """Make the entity that says which chunk this is; the final one has no number."""
    info: dict[str, Any] = {"type": "streaminfo", "streamType": kind}
    if stream.id:
        info["streamId"] = stream.id
    if kind != "final":
        info["streamSequence"] = stream.sequence
    return info
