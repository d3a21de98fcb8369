"""Files that come from the browser, and how they may go back to it."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from adapters.http.file_writer import remove, writing
from adapters.page.channel import thread_of
from adapters.page.notes_store import NoteFile
from bot.media.file_types import BMP, GIF, JPEG, MATROSKA, MP4, PNG, QUICKTIME, WEBP

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import StreamReader

    from bot.media.size_limits import ByteCounter
    from bot.ports.blobs import Blobs

CHUNK = 256 * 1024
IDLE_SECONDS = 30.0
"""Longest pause of an upload."""
NAME_LENGTH = 120
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
"""Control characters, and those that turn the direction of a name around."""

SHOWN = {
    JPEG: "image/jpeg",
    PNG: "image/png",
    GIF: "image/gif",
    WEBP: "image/webp",
    BMP: "image/bmp",
    MP4: "video/mp4",
    QUICKTIME: "video/quicktime",
    MATROSKA: "video/webm",
}
"""Pictures that every browser shows, and videos that some play; none can carry a script.

WebM is a kind of Matroska, and a player looks into the file for which it is.
"""


def clean_name(offered: str) -> str:
    """Reduce a percent-encoded file name to a plain one without folders; may be empty."""
    name = CONTROLS.sub(" ", unquote(offered, errors="replace")).replace("\\", "/")
    return name.rpartition("/")[2].strip()[-NAME_LENGTH:]


def disposition(name: str, *, inline: bool) -> str:
    """Write a Content-Disposition header (RFC 6266)."""
    how = "inline" if inline else "attachment"
    return f"{how}; filename*=UTF-8''{quote(name or 'file', safe='')}"


async def receive(
    body: StreamReader, blobs: Blobs, spool: Path, conversation: str, name: str, tally: ByteCounter
) -> NoteFile:
    """Stream an upload into the blob store; raises `FileProblem`, `TimeoutError`."""
    ref = secrets.token_hex(16)
    blob = f"{thread_of(conversation).key}/up/{ref}"
    path = spool / ref
    try:
        await _write(body, path, tally)
        await blobs.put(blob, path)
    finally:
        await remove(path)
    return NoteFile(ref, blob, name, tally.size, SHOWN.get(tally.kind, ""))


async def _write(body: StreamReader, path: Path, tally: ByteCounter) -> None:
    """Write the body to a file while it is counted."""
    loop = asyncio.get_running_loop()
    async with writing(path) as file, asyncio.timeout(IDLE_SECONDS) as pause:
        async for chunk in body.iter_chunked(CHUNK):
            tally.add(chunk)
            await asyncio.to_thread(file.write, chunk)
            pause.reschedule(loop.time() + IDLE_SECONDS)
