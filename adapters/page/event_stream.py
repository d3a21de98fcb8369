"""What the browser is sent: the wall as it changes, the state, the files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from adapters.page.access import USER, refusal
from adapters.page.channel import thread_of
from adapters.page.http_range import part_asked, part_headers
from adapters.page.requests import conversation_of, ref_of
from adapters.page.session import HEADERS
from adapters.page.uploads import disposition
from bot import strings as texts
from bot.errors import StoreDown
from bot.media.size_limits import size_limits

if TYPE_CHECKING:
    from adapters.page.notes_store import NoteFile, NotesStore
    from adapters.page.subscriptions import NoteSubscriptions
    from bot.domain.threads import Thread
    from bot.limits import FileLimits
    from bot.ports.blobs import Blobs

State = Callable[["Thread"], Awaitable[dict[str, Any]]]
"""Tells what is in force in a thread: `system`, `model`, `models`, `vision`."""

REREAD = 2.0
"""Seconds after which an open page looks for changes that no bell told of."""
HEARTBEAT = 15.0
"""Seconds after which a silent stream shows that it is alive."""
RETRY_MS = 1000
"""Milliseconds after which a browser connects again."""
GATHER = 0.03
"""Seconds to let changes gather, so that a fast answer is not sent letter by letter."""


class EventStream:
    """Handlers that read."""

    def __init__(
        self,
        limits: FileLimits,
        wall: NotesStore,
        news: NoteSubscriptions,
        blobs: Blobs,
        state: State,
    ) -> None:
        self._limits = limits
        self._wall = wall
        self._news = news
        self._blobs = blobs
        self._state = state

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send what changed since a version, then what changes, as Server-Sent Events.

        https://html.spec.whatwg.org/multipage/server-sent-events.html
        """
        conversation = conversation_of(request.query.get("conversation", ""))
        asked = request.headers.get("Last-Event-ID") or request.query.get("version", "")
        with self._news.watch(conversation) as bell:
            changes = await self._wall.read(conversation, _version(asked))
            response = web.StreamResponse(headers=HEADERS)
            response.content_type = "text/event-stream"
            await response.prepare(request)
            with suppress(ConnectionError, StoreDown):
                await response.write(_event(changes.version, changes.notes))
                await self._follow(response, conversation, changes.version, bell)
        return response

    async def _follow(
        self, response: web.StreamResponse, conversation: str, version: int, bell: asyncio.Event
    ) -> None:
        clock = asyncio.get_running_loop().time
        last = clock()
        while not self._news.closed:
            with suppress(TimeoutError):
                async with asyncio.timeout(REREAD):
                    await bell.wait()
                await asyncio.sleep(GATHER)
            bell.clear()
            changes = await self._wall.read(conversation, version)
            if changes.version != version:
                version, last = changes.version, clock()
                await response.write(_event(version, changes.notes))
            elif clock() - last > HEARTBEAT:
                last = clock()
                await response.write(b": alive\n\n")

    async def state(self, request: web.Request) -> web.StreamResponse:
        """Return what is in force in a conversation, and what the page takes."""
        conversation = conversation_of(request.query.get("conversation", ""))
        state = await self._state(thread_of(conversation))
        taken = {
            "picture_bytes": self._limits.max_photo_bytes,
            "upload_bytes": size_limits(self._limits).most,
        }
        return web.json_response({**state, **taken})

    async def recent(self, request: web.Request) -> web.StreamResponse:
        """List the conversations of this browser, the latest first."""
        return web.json_response([asdict(line) for line in await self._wall.recent(request[USER])])

    async def blob(self, request: web.Request) -> web.StreamResponse:
        """Hand out a file or a part of it: what browsers show in the page, all else to download."""
        conversation = conversation_of(request.match_info["conversation"])
        file = await self._wall.file(conversation, ref_of(request.match_info["ref"]))
        if file is None:
            return refusal(404, texts.PAGE_FILE_GONE)
        asked = part_asked(request, file.size)
        if asked == range(0):
            return refusal(416, texts.PAGE_FILE_SHORTER, part_headers(asked, file.size))
        part = range(file.size) if asked is None else asked
        pieces = await self._blobs.stream(file.blob, part.start, part.stop)
        if pieces is None:
            return refusal(404, texts.PAGE_FILE_GONE)
        headers = HEADERS | _description(file, inline="download" not in request.query)
        if asked is not None:
            headers |= part_headers(asked, file.size)
        response = web.StreamResponse(status=200 if asked is None else 206, headers=headers)
        response.content_length = len(part)
        await response.prepare(request)
        if request.method != "HEAD":
            await _send(response, pieces)
        return response


def _description(file: NoteFile, *, inline: bool) -> dict[str, str]:
    """Say what a file is, in headers that let it do nothing by itself."""
    return {
        "Content-Type": file.media_type or "application/octet-stream",
        "Content-Disposition": disposition(file.name, inline=inline and bool(file.media_type)),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Accept-Ranges": "bytes",
    }


async def _send(response: web.StreamResponse, pieces: AsyncIterator[bytes]) -> None:
    """Send a file as long as both sides are there; one that is cut ends its connection."""
    try:
        async for piece in pieces:
            await response.write(piece)
    except (ConnectionError, StoreDown):
        response.force_close()


def _version(name: str) -> int:
    """Read a version; what is none means the beginning."""
    return int(name) if name.isascii() and name.isdecimal() and len(name) < 16 else 0


def _event(version: int, notes: tuple[dict[str, Any], ...]) -> bytes:
    data = json.dumps({"version": version, "notes": notes}, ensure_ascii=False)
    return f"retry: {RETRY_MS}\nid: {version}\ndata: {data}\n\n".encode()
