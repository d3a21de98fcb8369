"""What the browser reads beside the stream: the settings in effect, its conversations, files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from adapters.page.access import USER, refusal
from adapters.page.channel import thread_of
from adapters.page.files import disposition
from adapters.page.http_range import range_headers, requested_range
from adapters.page.requests import conversation_of, ref_of
from adapters.page.session import HEADERS
from bot import strings as texts
from bot.errors import StoreDown
from bot.media.size_limits import size_limits

if TYPE_CHECKING:
    from adapters.page.messages import MessageFile, MessageStore
    from bot.domain.threads import Thread
    from bot.limits import FileLimits
    from bot.ports.blobs import Blobs

State = Callable[["Thread"], Awaitable[dict[str, Any]]]
"""Returns the settings in effect in a thread: `system`, `model`, `models`, `vision`."""


class ReadApi:
    """Handlers that read."""

    def __init__(
        self, limits: FileLimits, messages: MessageStore, blobs: Blobs, state: State
    ) -> None:
        self._limits = limits
        self._messages = messages
        self._blobs = blobs
        self._state = state

    async def state(self, request: web.Request) -> web.StreamResponse:
        """Return the settings in effect in a conversation, and how large files may be."""
        conversation = conversation_of(request.query.get("conversation", ""))
        state = await self._state(thread_of(conversation))
        limits = {
            "picture_bytes": self._limits.max_photo_bytes,
            "upload_bytes": size_limits(self._limits).most,
        }
        return web.json_response({**state, **limits})

    async def recent(self, request: web.Request) -> web.StreamResponse:
        """List the conversations of this browser, the latest first."""
        recent = await self._messages.recent(request[USER])
        return web.json_response([asdict(conversation) for conversation in recent])

    async def blob(self, request: web.Request) -> web.StreamResponse:
        """Return a file or a range of it, inline only if browsers show its type safely."""
        conversation = conversation_of(request.match_info["conversation"])
        file = await self._messages.file(conversation, ref_of(request.match_info["ref"]))
        if file is None:
            return refusal(404, texts.PAGE_FILE_GONE)
        part = requested_range(request, file.size)
        if part == range(0):
            return refusal(416, texts.PAGE_FILE_SHORTER, range_headers(part, file.size))
        span = range(file.size) if part is None else part
        chunks = await self._blobs.stream(file.blob, span.start, span.stop)
        if chunks is None:
            return refusal(404, texts.PAGE_FILE_GONE)
        headers = HEADERS | _file_headers(file, inline="download" not in request.query)
        if part is not None:
            headers |= range_headers(part, file.size)
        response = web.StreamResponse(status=200 if part is None else 206, headers=headers)
        response.content_length = len(span)
        await response.prepare(request)
        if request.method != "HEAD":
            await _write(response, chunks)
        return response


def _file_headers(file: MessageFile, *, inline: bool) -> dict[str, str]:
    """Return headers that describe a file and keep it from running anything."""
    return {
        "Content-Type": file.media_type or "application/octet-stream",
        "Content-Disposition": disposition(file.name, inline=inline and bool(file.media_type)),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Accept-Ranges": "bytes",
    }


async def _write(response: web.StreamResponse, chunks: AsyncIterator[bytes]) -> None:
    """Write a file; where it breaks off, close the connection, so that the browser notices."""
    try:
        async for chunk in chunks:
            await response.write(chunk)
    except (ConnectionError, StoreDown):
        response.force_close()
