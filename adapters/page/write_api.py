"""What the browser writes: files, and the messages that refer to them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from adapters.page.access import USER, refusal
from adapters.page.files import clean_name, receive
from adapters.page.messages import MessageFile, PageMessage
from adapters.page.requests import PostRequest, conversation_of, read_post
from bot import strings as texts
from bot.errors import FileProblem, StoreDown
from bot.media.size_limits import ByteCounter, size_limits

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.chat.declaration import Accept
    from adapters.page.messages import MessageStore
    from bot.limits import FileLimits, MessageLimits
    from bot.ports.blobs import Blobs

CHARACTER_BYTES = 12
"""Most bytes of one character in JSON: a surrogate pair, both escaped."""
ENVELOPE_BYTES = 16 * 1024
"""Bytes for everything in a posted message but its text."""

log = structlog.get_logger()


class WriteApi:
    """Handlers that write."""

    def __init__(
        self,
        file_limits: FileLimits,
        message_limits: MessageLimits,
        spool: Path,
        messages: MessageStore,
        blobs: Blobs,
        accept: Accept,
    ) -> None:
        self._limits = file_limits
        self._max_text = message_limits.max_question
        self._spool = spool
        self._messages = messages
        self._blobs = blobs
        self._accept = accept

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Store a file of a message that is still being written; responds with its ref."""
        conversation = conversation_of(request.query.get("conversation", ""))
        name = clean_name(request.headers.get("X-File-Name", ""))
        try:
            counter = ByteCounter(size_limits(self._limits), request.content_length or 0)
            file = await receive(
                request.content, self._blobs, self._spool, conversation, name, counter
            )
        except FileProblem as problem:
            return refusal(413, texts.page_file_refused(problem, self._limits))
        except TimeoutError:
            return refusal(408, texts.PAGE_FILE_STALLED)
        except OSError as error:
            log.warning("page_upload_failed", error=type(error).__name__)
            raise StoreDown from error
        await self._messages.add_file(conversation, file)
        return web.json_response({"ref": file.ref, "name": file.name}, status=201)

    async def message(self, request: web.Request) -> web.StreamResponse:
        """Accept a message; responds 202 only after it is stored."""
        body = await _read_body(request, self._max_text * CHARACTER_BYTES + ENVELOPE_BYTES)
        post = read_post(body) if body is not None else None
        if post is None or len(post.text) > self._max_text:
            return refusal(413, texts.PAGE_TEXT_TOO_LONG.format(limit=self._max_text))
        records = [await self._messages.file(post.conversation, ref) for ref in post.files]
        files = tuple(file for file in records if file)
        if len(files) < len(records):
            return refusal(410, texts.PAGE_FILE_GONE)
        await self._store(post, request[USER], files)
        return web.json_response({"id": post.id}, status=202)

    async def _store(self, post: PostRequest, user: str, files: tuple[MessageFile, ...]) -> None:
        """Show a message on the page and put it into the inbox, or neither; raises `StoreDown`."""
        message = PageMessage(post.id, "user", post.text, quiet=post.quiet, files=files)
        is_new = await self._messages.put(post.conversation, message, once=True)
        try:
            await self._accept(post.message(user, files))
        except StoreDown:
            if is_new:
                with suppress(StoreDown):
                    await self._messages.delete(post.conversation, post.id)
            raise
        if not post.quiet:
            title = post.text.strip() or files[0].name
            await self._messages.remember(user, post.conversation, title)


async def _read_body(request: web.Request, limit: int) -> bytes | None:
    """Read a body of at most `limit` bytes; None when there is more."""
    body = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)
