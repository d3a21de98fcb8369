"""The port to where pictures are kept: bytes by key, written before anything names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from pathlib import Path


class Blobs(Protocol):
    """Bytes by key. Keys are `<thread key>/<name>`; nothing is shared across threads."""

    async def put(self, key: str, data: bytes | Path) -> None:
        """Write a blob, replacing what was there; its age starts anew.

        A file may be deleted afterwards, but not be written to.
        """
        ...

    async def get(self, key: str) -> bytes | None:
        """Read a blob whole, or None when there is none."""
        ...

    async def stream(
        self, key: str, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes] | None:
        """Read a blob's bytes from `start` to before `end` by pieces, or None when there is none.

        Without `end` that is all the rest.
        """
        ...

    async def save(self, key: str, into: Path) -> bool:
        """Bring a blob to a file, only to be read there; False when there is none.

        It is never in memory as a whole.
        """
        ...

    async def erase(self, prefix: str, before: float = float("inf")) -> int:
        """Delete the blobs below a folder such as a thread's key; returns how many.

        Only those written before that time (seconds since the epoch) go.
        """
        ...

    async def erase_some(self, folder: str, names: Collection[str]) -> None:
        """Delete those blobs of a folder whose names begin with one of these, up to a dot."""
        ...

    async def sweep(self, older_than: float) -> int:
        """Delete blobs written before that time (seconds since the epoch); returns how many."""
        ...
