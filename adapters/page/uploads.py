"""Files that come from the browser, and how they may go back to it."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from adapters.page.channel import thread_of
from adapters.page.wall import WallFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import StreamReader

    from bot.blobs import Blobs

CHUNK = 256 * 1024
NAME_LENGTH = 120
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
"""Control characters, and those that turn the direction of a name around."""

MAGIC = (
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"BM.{4}\x00{4}", re.DOTALL), "image/bmp"),
)
"""How pictures begin that every browser shows and that cannot carry a script.

Signatures as in the WHATWG MIME Sniffing Standard, section 6.1.
"""


class UploadTooLarge(Exception):
    """More bytes came than are taken."""


def media_type_of(head: bytes) -> str:
    """Name the type of a picture that is safe to show in the page; else nothing."""
    return next((name for magic, name in MAGIC if magic.match(head)), "")


def clean_name(offered: str) -> str:
    """Reduce a percent-encoded file name to a plain one without folders; may be empty."""
    name = CONTROLS.sub(" ", unquote(offered, errors="replace")).replace("\\", "/")
    return name.rpartition("/")[2].strip()[-NAME_LENGTH:]


def disposition(name: str, *, inline: bool) -> str:
    """Write a Content-Disposition header (RFC 6266)."""
    how = "inline" if inline else "attachment"
    return f"{how}; filename*=UTF-8''{quote(name or 'file', safe='')}"


async def receive(
    body: StreamReader, blobs: Blobs, conversation: str, name: str, limit: int
) -> WallFile:
    """Stream an upload of at most `limit` bytes into the blob store; raises `UploadTooLarge`."""
    ref = secrets.token_hex(16)
    blob = f"{thread_of(conversation).key}/up/{ref}"
    async with _temporary_file() as path:
        size, head = await _write(body, path, limit)
        await blobs.put(blob, path)
    return WallFile(ref, blob, name, size, media_type_of(head))


@asynccontextmanager
async def _temporary_file() -> AsyncIterator[Path]:
    handle, name = await asyncio.to_thread(tempfile.mkstemp, prefix="loupe-upload-")
    os.close(handle)
    path = Path(name)
    try:
        yield path
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)


async def _write(body: StreamReader, path: Path, limit: int) -> tuple[int, bytes]:
    """Write the body to a file; returns its size and first bytes."""
    size, head = 0, b""
    file = await asyncio.to_thread(path.open, "wb")
    try:
        async for chunk in body.iter_chunked(CHUNK):
            size += len(chunk)
            if size > limit:
                raise UploadTooLarge
            if len(head) < 16:
                head += chunk[:16]
            await asyncio.to_thread(file.write, chunk)
    finally:
        await asyncio.to_thread(file.close)
    return size, head
