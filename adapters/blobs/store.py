"""Pictures in a folder, or in an object store that replicas share."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError
from obstore.store import LocalStore

from adapters.http.file_writer import writing
from bot.errors import StoreDown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator

    from obstore.store import ObjectStore


KEY = re.compile(r"(?!\.{1,2}(/|$))[\w.-]+(/(?!\.{1,2}(/|$))[\w.-]+)*", re.ASCII)
"""Parts of letters, digits, dots, hyphens and underscores, none of them `.` or `..`."""

PARTS_AT_ONCE = 2
"""Parts of 5 MiB, the least that S3 takes, in memory while a file is uploaded."""

PIECE = 4 * 1024 * 1024
"""Bytes read in one request, whose time `LOUPE_MEDIA_SECONDS` limits."""

UNFINISHED_SECONDS = 3600
"""A write that took longer will never be finished: its process was killed."""


class BlobStore:
    """Implements `bot.ports.blobs.Blobs` on any store of obstore; writes are atomic.

    Raises `ValueError` for a key that is not `KEY`, `StoreDown` when the store fails.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._folder = Path(store.prefix or "/") if isinstance(store, LocalStore) else None

    async def put(self, key: str, data: bytes | Path) -> None:
        """Write a blob, or replace it; its age starts anew.

        In a folder, a file becomes the blob without being copied.
        """
        if self._folder is not None and isinstance(data, Path):
            blob = self._folder / _check_key(key)
            if await asyncio.to_thread(_take_over, data, blob):
                return
        with _failures():
            await self._store.put_async(_check_key(key), data, max_concurrency=PARTS_AT_ONCE)

    async def get(self, key: str) -> bytes | None:
        """Return a blob, or None if there is none."""
        with _failures(), suppress(FileNotFoundError):
            result = await self._store.get_async(_check_key(key))
            return bytes(await result.bytes_async())
        return None

    async def stream(
        self, key: str, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes] | None:
        """Return the bytes of a blob from `start` up to `end` in pieces, or None if there is none.

        Without `end` they go to the end of the blob.
        """
        with _failures(), suppress(FileNotFoundError):
            metadata = await self._store.head_async(_check_key(key))
            return self._pieces(key, range(metadata["size"])[start:end])
        return None

    async def _pieces(self, key: str, part: range) -> AsyncIterator[bytes]:
        for start in part[::PIECE]:
            end = min(start + PIECE, part.stop)
            try:
                with _failures():
                    piece = await self._store.get_range_async(key, start=start, end=end)
            except FileNotFoundError as error:
                raise StoreDown("a blob was erased while it was read") from error
            yield bytes(piece)

    async def save(self, key: str, into: Path) -> bool:
        """Save a blob as a file that is only to be read; returns False if there is none.

        It is never held in memory whole, and not copied if it stands in a folder.
        """
        if self._folder is not None:
            blob = self._folder / _check_key(key)
            if await asyncio.to_thread(_link, blob, into):
                return True
        pieces = await self.stream(key)
        if pieces is None:
            return False
        async with writing(into) as file:
            async for piece in pieces:
                await asyncio.to_thread(file.write, piece)
        return True

    async def erase(self, prefix: str, before: float = float("inf")) -> int:
        """Delete the blobs below a folder such as a thread's key; returns how many.

        Only those written before that time (seconds since the epoch) go.
        """
        return await self._delete_before(before, _check_key(prefix))

    async def erase_some(self, folder: str, names: Collection[str]) -> None:
        """Delete those blobs of a folder whose names begin with one of these, up to a dot."""
        with _failures():
            async for batch in self._store.list_async(_check_key(folder), chunk_size=1000):
                paths = [each["path"] for each in batch if _stem(each["path"]) in names]
                if paths:
                    await self._delete(paths)

    async def sweep(self, older_than: float) -> int:
        """Delete blobs written before that time (seconds since the epoch); returns how many."""
        count = await self._delete_before(older_than)
        if self._folder:
            await asyncio.to_thread(_delete_unfinished, self._folder)
        return count

    async def _delete_before(self, limit: float, prefix: str | None = None) -> int:
        count = 0
        with _failures():
            async for batch in self._store.list_async(prefix, chunk_size=1000):
                old = [each["path"] for each in batch if each["last_modified"].timestamp() < limit]
                await self._delete(old)
                count += len(old)
        return count

    async def _delete(self, keys: list[str]) -> None:
        """Delete together, or one by one where another replica deletes the same."""
        try:
            await self._store.delete_async(keys)
        except FileNotFoundError:
            for key in keys:
                with suppress(FileNotFoundError):
                    await self._store.delete_async(key)


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]


def _check_key(key: str) -> str:
    if not KEY.fullmatch(key):
        raise ValueError(f"no blob can have the key {key!r}")
    return key


def _link(blob: Path, into: Path) -> bool:
    """Link a file to a blob; later writes replace the blob and leave the file as it is."""
    into.unlink(missing_ok=True)
    try:
        into.hardlink_to(blob)
    except OSError:
        return False
    return True


def _take_over(file: Path, blob: Path) -> bool:
    """Link a blob to a file, replacing an older blob; return False if that is not possible."""
    unfinished = blob.with_name(f"{blob.name}#{secrets.randbits(32)}")
    try:
        blob.parent.mkdir(parents=True, exist_ok=True)
        unfinished.hardlink_to(file)
        os.utime(unfinished)
        unfinished.replace(blob)
    except OSError:
        return False
    finally:
        # It still exists if both names already were of one file.
        unfinished.unlink(missing_ok=True)
    return True


def _delete_unfinished(folder: Path) -> None:
    """Delete what killed processes left unfinished: `<key>#<n>`, which obstore never lists."""
    for path in folder.rglob("*#*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - UNFINISHED_SECONDS:
                path.unlink()


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except BaseError as error:
        raise StoreDown(f"the blob store failed: {type(error).__name__}") from error
