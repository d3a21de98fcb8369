"""Uploads from the browser: their names, their types, and their way into the blob store."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from adapters.http.file_writer import remove, writing
from adapters.page.channel import thread_of
from adapters.page.messages import MessageFile
from bot.media.file_types import BMP, GIF, JPEG, MATROSKA, MP4, PNG, QUICKTIME, WEBP

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import StreamReader

    from bot.media.size_limits import ByteCounter
    from bot.ports.blobs import Blobs

CHUNK = 256 * 1024
IDLE_SECONDS = 30.0
"""Longest pause within an upload."""
NAME_LENGTH = 120
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
"""Control characters, and those that change the direction of writing."""

INLINE_TYPES = {
    JPEG: "image/jpeg",
    PNG: "image/png",
    GIF: "image/gif",
    WEBP: "image/webp",
    BMP: "image/bmp",
    MP4: "video/mp4",
    QUICKTIME: "video/quicktime",
    MATROSKA: "video/webm",
}
"""Pictures that every browser shows, and videos that some play; none can contain a script.

WebM is a kind of Matroska; players look into the file to tell which it is.
"""


def clean_name(encoded_name: str) -> str:
    """Decode a percent-encoded file name and drop its folders; the result may be empty."""
    name = CONTROLS.sub(" ", unquote(encoded_name, errors="replace")).replace("\\", "/")
    return name.rpartition("/")[2].strip()[-NAME_LENGTH:]


def disposition(name: str, *, inline: bool) -> str:
    """Return a Content-Disposition header (RFC 6266)."""
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename*=UTF-8''{quote(name or 'file', safe='')}"


async def receive(
    body: StreamReader,
    blobs: Blobs,
    spool: Path,
    conversation: str,
    name: str,
    counter: ByteCounter,
) -> MessageFile:
    """Stream an upload into the blob store; raises `FileProblem`, `TimeoutError`."""
    ref = secrets.token_hex(16)
    blob = f"{thread_of(conversation).key}/up/{ref}"
    path = spool / ref
    try:
        await _write(body, path, counter)
        await blobs.put(blob, path)
    finally:
        await remove(path)
    return MessageFile(ref, blob, name, counter.size, INLINE_TYPES.get(counter.kind, ""))


async def _write(body: StreamReader, path: Path, counter: ByteCounter) -> None:
    """Write the body to a file, as long as the counter accepts its bytes."""
    loop = asyncio.get_running_loop()
    async with writing(path) as file, asyncio.timeout(IDLE_SECONDS) as idle_timeout:
        async for chunk in body.iter_chunked(CHUNK):
            counter.add(chunk)
            await asyncio.to_thread(file.write, chunk)
            idle_timeout.reschedule(loop.time() + IDLE_SECONDS)
