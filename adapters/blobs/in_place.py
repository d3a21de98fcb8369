"""Blobs of a single turn, for files that stay where they are."""

from __future__ import annotations

import asyncio
from pathlib import Path

from obstore.store import MemoryStore

from adapters.blobs.store import BlobStore


class InPlaceBlobs(BlobStore):
    """Blobs of a single turn: in memory, but the user's own files stay where they are."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        self._files: dict[str, Path] = {}

    async def put(self, key: str, data: bytes | Path) -> None:
        """Keep bytes, or where a link leads."""
        if isinstance(data, Path) and await asyncio.to_thread(data.is_symlink):
            self._files[key] = await asyncio.to_thread(data.resolve)
        else:
            await super().put(key, data)

    async def save(self, key: str, into: Path) -> bool:
        """Write the bytes to `into`, or make it a link to the user's file."""
        if key not in self._files:
            return await super().save(key, into)
        await asyncio.to_thread(into.symlink_to, self._files[key])
        return True
