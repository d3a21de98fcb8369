"""Streams in Slack, and the status of an agent that is shown where an answer is not streamed.

https://docs.slack.dev/reference/methods/chat.startStream
https://docs.slack.dev/ai/agent-sessions
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from adapters.http.json_fields import string
from adapters.slack import blocks
from adapters.slack.errors import SlackError, StreamExpired
from bot import strings as texts
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown, Stage

if TYPE_CHECKING:
    from adapters.chat.streaming import Stream
    from adapters.slack.addresses import SlackAddress
    from adapters.slack.web_api import SlackApi
    from bot.ports.channel import Post

STEP = "look"
"""The id of the step; a chunk with the same id replaces the one before."""
MAX_TITLE = 250
"""Most characters of a step's title."""

STATUS_METHOD = "agents.sessions.setStatus"

NO_AGENT = {"not_authorized", "unknown_method", "missing_scope", "feature_not_enabled"}
"""Errors of a workspace whose app was created without the features of an agent."""

STATUS_SECONDS = 3.0
"""Longest time that an answer waits for its status."""

log = structlog.get_logger()

Chunk = dict[str, Any]


class SlackStreamTransport:
    """Sends streams as a `StreamTransport`; Slack accepts any number in a thread.

    Text can only be appended, so the progress before the answer is shown as a step.
    """

    single = False

    def __init__(self, api: SlackApi) -> None:
        self._api = api
        self._doubtful: set[str] = set()

    def chat(self, address: SlackAddress) -> tuple[str, ...]:
        """Return the thread of an address, as the key of its chat."""
        return address.team, address.channel, address.thread

    def text(self, post: Post) -> str:
        """Return the text of a post as it is streamed."""
        return blocks.text(post)

    async def open(self, stream: Stream, post: Post) -> str:
        """Open a stream with a step, and return the `ts` of its message.

        Raises `DeliveryUnknown`, `DeliveryRefused`, `ConversationGone`.

        In a channel only one recipient sees the stream grow: the user who asked. The call is brief:
        if the rate of starts has no room, a post can be made at once.
        """
        address = stream.address
        response = await self._api.call(
            address.team,
            "chat.startStream",
            brief=True,
            channel=address.channel,
            thread_ts=address.thread,
            recipient_team_id=address.home or address.team,
            recipient_user_id=address.user,
            chunks=[_step(self.text(post))],
        )
        return string(response.get("ts"))

    async def hint(self, stream: Stream, post: Post) -> None:
        """Show the progress in the step."""
        await self._append(stream, _step(self.text(post)))

    async def grow(self, stream: Stream, text: str) -> None:
        """Append the new part of a text; the first one completes the step.

        If it is unknown whether a part arrived, none may follow: the stream ends, and edits, which
        hold the whole text, continue.
        """
        self._check(stream)
        steps = () if stream.text else (_step(texts.SLACK_LOOKED, "complete"),)
        try:
            await self._append(stream, *steps, _words(text[len(stream.text) :]))
        except DeliveryUnknown:
            self._doubtful.add(stream.id)
            raise

    async def close(self, stream: Stream, post: Post | None) -> None:
        """End a stream with the rest of a text and the blocks below it, or as it is."""
        self._check(stream)
        chunks: list[Chunk] = []
        if not stream.text:
            chunks.append(_step(texts.SLACK_LOOKED, "complete"))
        if post is not None and (rest := self.text(post)[len(stream.text) :]):
            chunks.append(_words(rest))
        below = blocks.tail(post) if post is not None and post.stage is Stage.FINAL else []
        address = stream.address
        await self._api.call(
            address.team,
            "chat.stopStream",
            repeatable=True,
            channel=address.channel,
            ts=stream.id,
            session_status="active" if post is not None else None,
            chunks=chunks or None,
            blocks=below or None,
        )

    def _check(self, stream: Stream) -> None:
        if stream.id in self._doubtful:
            self._doubtful.discard(stream.id)
            raise StreamExpired(0, "words may be missing")

    async def _append(self, stream: Stream, *chunks: Chunk) -> None:
        address = stream.address
        await self._api.call(
            address.team,
            "chat.appendStream",
            brief=True,
            channel=address.channel,
            ts=stream.id,
            chunks=list(chunks),
        )


class AgentStatus:
    """Shows the status of Loupe in a thread, with Slack's Stop button; failures are only logged.

    A stream does so by itself: this is for answers that are posted and edited.
    """

    def __init__(self, api: SlackApi) -> None:
        self._api = api
        self._teams_without_agent: set[str] = set()

    async def working(self, address: SlackAddress) -> None:
        """Show that Loupe is working."""
        await self._set(address, "processing")

    async def idle(self, address: SlackAddress) -> None:
        """Show that Loupe is idle."""
        await self._set(address, "active")

    async def _set(self, address: SlackAddress, status: str) -> None:
        team = address.team
        if team in self._teams_without_agent or not address.thread:
            return
        try:
            async with asyncio.timeout(STATUS_SECONDS):
                await self._api.call(
                    team,
                    STATUS_METHOD,
                    brief=True,
                    channel_id=address.channel,
                    thread_ts=address.thread,
                    status=status,
                )
        except SlackError as error:
            if error.error in NO_AGENT:
                self._teams_without_agent.add(team)
            log.info("session_not_shown", why=str(error))
        except (DeliveryUnknown, DeliveryRefused, ConversationGone, TimeoutError) as error:
            log.info("session_not_shown", why=str(error) or type(error).__name__)


def _step(title: str, status: str = "in_progress") -> Chunk:
    return {"type": "task_update", "id": STEP, "title": title[:MAX_TITLE], "status": status}


def _words(text: str) -> Chunk:
    return {"type": "markdown_text", "text": text}
