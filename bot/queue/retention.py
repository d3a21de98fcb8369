"""Removes what is past its retention, at regular intervals."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from bot.aio import end

if TYPE_CHECKING:
    from pathlib import Path

    from bot.limits import RetentionLimits
    from bot.ports.blobs import Blobs
    from bot.ports.mailbox import Mailbox

log = structlog.get_logger()

INTERVAL = 3600.0
"""Most seconds between two sweeps; shorter where the retention is shorter than a day."""
DAY = 24 * 3600.0
ABANDONED_AFTER = 3600.0
"""Seconds after which a temporary file must be one of a process that was killed."""


class RetentionSweeper:
    """Sweeps turns, photos and their bytes for as long as it runs.

    In `spool`, which processes share, those that were killed may have left temporary files.
    """

    def __init__(
        self, mailbox: Mailbox, blobs: Blobs, limits: RetentionLimits, spool: Path
    ) -> None:
        self._mailbox = mailbox
        self._blobs = blobs
        self._spool = spool
        self._keep = limits.retention_days * DAY
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to sweep."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop sweeping."""
        if self._task is not None:
            await end(self._task)

    async def sweep(self) -> tuple[int, int]:
        """Sweep once; returns how many turns and blobs were deleted."""
        turns = await self._mailbox.sweep()
        blobs = await self._blobs.sweep(time.time() - self._keep)
        await asyncio.to_thread(_delete_abandoned, self._spool)
        return turns, blobs

    async def _run(self) -> None:
        while True:
            try:
                turns, blobs = await self.sweep()
                if turns or blobs:
                    log.info("swept", turns=turns, blobs=blobs)
            except Exception:
                log.exception("sweep_failed")
            await asyncio.sleep(min(INTERVAL, self._keep / 24))


def _delete_abandoned(spool: Path) -> None:
    for path in spool.glob("*"):
        with suppress(FileNotFoundError):
            # The age of a link counts, not that of the user's file that it points to.
            if path.lstat().st_mtime < time.time() - ABANDONED_AFTER:
                path.unlink()
