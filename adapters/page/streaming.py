"""The stream of a conversation: its messages as they change, as Server-Sent Events."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiohttp import web

from adapters.page.requests import conversation_of
from adapters.page.session import HEADERS
from bot.errors import StoreDown

if TYPE_CHECKING:
    from adapters.page.messages import MessageStore
    from adapters.page.subscriptions import Subscriptions

REREAD = 2.0
"""Seconds after which an open page reads again, in case a notification was missed."""
HEARTBEAT = 15.0
"""Seconds after which a silent stream sends a comment, so that no proxy closes it."""
RETRY_MS = 1000
"""Milliseconds after which a browser connects again."""
GATHER = 0.03
"""Seconds to collect changes, so that a fast answer is not sent letter by letter."""


class EventStream:
    """The handler to which open pages stay connected."""

    def __init__(self, messages: MessageStore, subscriptions: Subscriptions) -> None:
        self._messages = messages
        self._subscriptions = subscriptions

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send what changed since a version, then every change, as Server-Sent Events.

        https://html.spec.whatwg.org/multipage/server-sent-events.html
        """
        conversation = conversation_of(request.query.get("conversation", ""))
        version = request.headers.get("Last-Event-ID") or request.query.get("version", "")
        with self._subscriptions.watch(conversation) as change:
            changes = await self._messages.read(conversation, _version(version))
            response = web.StreamResponse(headers=HEADERS)
            response.content_type = "text/event-stream"
            await response.prepare(request)
            with suppress(ConnectionError, StoreDown):
                await response.write(_event(changes.version, changes.messages))
                await self._follow(response, conversation, changes.version, change)
        return response

    async def _follow(
        self, response: web.StreamResponse, conversation: str, version: int, change: asyncio.Event
    ) -> None:
        clock = asyncio.get_running_loop().time
        last = clock()
        while not self._subscriptions.closed:
            with suppress(TimeoutError):
                async with asyncio.timeout(REREAD):
                    await change.wait()
                await asyncio.sleep(GATHER)
            change.clear()
            changes = await self._messages.read(conversation, version)
            if changes.version != version:
                version, last = changes.version, clock()
                await response.write(_event(version, changes.messages))
            elif clock() - last > HEARTBEAT:
                last = clock()
                await response.write(b": alive\n\n")


def _version(text: str) -> int:
    """Return the version that a text names, 0 where it names none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _event(version: int, messages: tuple[dict[str, Any], ...]) -> bytes:
    data = json.dumps({"version": version, "messages": messages}, ensure_ascii=False)
    return f"retry: {RETRY_MS}\nid: {version}\ndata: {data}\n\n".encode()
