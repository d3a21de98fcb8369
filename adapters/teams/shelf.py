"""Keeps offered files in the blob store, for all processes, until they are accepted."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.blobs import Blobs

_UNTIL = struct.Struct(">d")
"""Stands before the bytes: when they expire, seconds since the epoch."""


class BlobShelf:
    """Implements `adapters.teams.consent.Shelf`; what expired goes with the blobs' retention.

    Keys are `<thread key>/…`, so that what a thread forgets is gone from here too.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def put(self, key: str, data: bytes, ttl: float) -> None:
        """Keep bytes under a key for so many seconds, replacing what was there."""
        await self._blobs.put(_blob(key), _UNTIL.pack(time.time() + ttl) + data)

    async def get(self, key: str) -> bytes | None:
        """Give what is kept under a key, or None."""
        found = await self._blobs.get(_blob(key))
        if found is None or _UNTIL.unpack_from(found)[0] < time.time():
            return None
        return found[_UNTIL.size :]

    async def delete(self, key: str) -> None:
        """Keep nothing under a key."""
        await self._blobs.erase(key)


def _blob(key: str) -> str:
    return f"{key}/file"
