"""Files that come from the browser, and how they may go back to it."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from adapters.files import writing
from adapters.page.channel import thread_of
from adapters.page.wall import WallFile
from bot.media.kinds import BMP, GIF, HEAD_BYTES, JPEG, PNG, WEBP, sniff

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import StreamReader

    from bot.blobs import Blobs

CHUNK = 256 * 1024
NAME_LENGTH = 120
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
"""Control characters, and those that turn the direction of a name around."""

SHOWN = {
    JPEG: "image/jpeg",
    PNG: "image/png",
    GIF: "image/gif",
    WEBP: "image/webp",
    BMP: "image/bmp",
}
"""Pictures that every browser shows and that cannot carry a script."""


class UploadTooLarge(Exception):
    """More bytes came than are taken."""


def media_type_of(head: bytes) -> str:
    """Name the type of a picture that is safe to show in the page; else nothing."""
    return SHOWN.get(sniff(head), "")


def clean_name(offered: str) -> str:
    """Reduce a percent-encoded file name to a plain one without folders; may be empty."""
    name = CONTROLS.sub(" ", unquote(offered, errors="replace")).replace("\\", "/")
    return name.rpartition("/")[2].strip()[-NAME_LENGTH:]


def disposition(name: str, *, inline: bool) -> str:
    """Write a Content-Disposition header (RFC 6266)."""
    how = "inline" if inline else "attachment"
    return f"{how}; filename*=UTF-8''{quote(name or 'file', safe='')}"


async def receive(
    body: StreamReader, blobs: Blobs, spool: Path, conversation: str, name: str, limit: int
) -> WallFile:
    """Stream an upload of at most `limit` bytes into the blob store; raises `UploadTooLarge`."""
    ref = secrets.token_hex(16)
    blob = f"{thread_of(conversation).key}/up/{ref}"
    path = spool / ref
    try:
        size, head = await _write(body, path, limit)
        await blobs.put(blob, path)
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)
    return WallFile(ref, blob, name, size, media_type_of(head))


async def _write(body: StreamReader, path: Path, limit: int) -> tuple[int, bytes]:
    """Write the body to a file; returns its size and first bytes."""
    size, head = 0, b""
    async with writing(path) as file:
        async for chunk in body.iter_chunked(CHUNK):
            size += len(chunk)
            if size > limit:
                raise UploadTooLarge
            if len(head) < HEAD_BYTES:
                head += chunk[:HEAD_BYTES]
            await asyncio.to_thread(file.write, chunk)
    return size, head
