"""Files that are written as their bytes arrive."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def writing(path: Path) -> AsyncIterator[IO[bytes]]:
    """Open a file for writing in a thread; it is closed even when the caller is cancelled."""
    opening = asyncio.ensure_future(asyncio.to_thread(path.open, "wb"))
    try:
        yield await asyncio.shield(opening)
    finally:
        await asyncio.shield(asyncio.to_thread((await opening).close))


async def remove(path: Path) -> None:
    """Delete a file, if it exists, in a thread; also when the caller is cancelled meanwhile."""
    await asyncio.shield(asyncio.to_thread(path.unlink, missing_ok=True))
