"""What the browser sends: files, and the messages that name them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from adapters.page.access import USER, refusal
from adapters.page.notes_store import Note, NoteFile
from adapters.page.requests import PostRequest, conversation_of, read_posted
from adapters.page.uploads import clean_name, receive
from bot import strings as texts
from bot.errors import FileProblem, StoreDown
from bot.media.size_limits import ByteCounter, size_limits

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.chat.declaration import Accept
    from adapters.page.notes_store import NotesStore
    from bot.limits import FileLimits, MessageLimits
    from bot.ports.blobs import Blobs

CHARACTER_BYTES = 12
"""Most bytes of one character in JSON: a surrogate pair, both escaped."""
ENVELOPE_BYTES = 16 * 1024
"""Room for all of a posted message but its text."""

log = structlog.get_logger()


class UploadApi:
    """Handlers that write."""

    def __init__(
        self,
        files: FileLimits,
        messages: MessageLimits,
        spool: Path,
        wall: NotesStore,
        blobs: Blobs,
        accept: Accept,
    ) -> None:
        self._limits = files
        self._longest = messages.max_question
        self._spool = spool
        self._wall = wall
        self._blobs = blobs
        self._accept = accept

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Store a file of a message that is still being written; answers with its ref."""
        conversation = conversation_of(request.query.get("conversation", ""))
        name = clean_name(request.headers.get("X-File-Name", ""))
        try:
            tally = ByteCounter(size_limits(self._limits), request.content_length or 0)
            file = await receive(
                request.content, self._blobs, self._spool, conversation, name, tally
            )
        except FileProblem as problem:
            return refusal(413, texts.page_file_refused(problem, self._limits))
        except TimeoutError:
            return refusal(408, texts.PAGE_FILE_STALLED)
        except OSError as error:
            log.warning("page_upload_failed", error=type(error).__name__)
            raise StoreDown from error
        await self._wall.add_file(conversation, file)
        return web.json_response({"ref": file.ref, "name": file.name}, status=201)

    async def message(self, request: web.Request) -> web.StreamResponse:
        """Accept a message; 202 only when it is stored."""
        body = await _read_body(request, self._longest * CHARACTER_BYTES + ENVELOPE_BYTES)
        posted = read_posted(body) if body is not None else None
        if posted is None or len(posted.text) > self._longest:
            return refusal(413, texts.PAGE_TEXT_TOO_LONG.format(limit=self._longest))
        files = [await self._wall.file(posted.conversation, ref) for ref in posted.files]
        kept = tuple(file for file in files if file)
        if len(kept) < len(files):
            return refusal(410, texts.PAGE_FILE_GONE)
        await self._take(posted, request[USER], kept)
        return web.json_response({"id": posted.id}, status=202)

    async def _take(self, posted: PostRequest, user: str, files: tuple[NoteFile, ...]) -> None:
        """Show a message and have it accepted, or neither; raises `StoreDown`."""
        note = Note(posted.id, "user", posted.text, quiet=posted.quiet, files=files)
        first = await self._wall.put(posted.conversation, note, once=True)
        try:
            await self._accept(posted.message(user, files))
        except StoreDown:
            if first:
                with suppress(StoreDown):
                    await self._wall.take_down(posted.conversation, posted.id)
            raise
        if not posted.quiet:
            title = posted.text.strip() or files[0].name
            await self._wall.remember(user, posted.conversation, title)


async def _read_body(request: web.Request, limit: int) -> bytes | None:
    """Read a body of at most `limit` bytes; None when there is more."""
    body = bytearray()
    async for chunk in request.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)
