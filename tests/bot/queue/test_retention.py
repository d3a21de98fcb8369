"""The janitor: sweeps what is past its retention, and goes on after a failure."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

from bot.errors import StoreDown
from bot.limits import RetentionLimits
from bot.queue.retention import ABANDONED_AFTER, DAY, RetentionSweeper

NOWHERE = Path("nowhere")


class Kept:
    """A store of turns, or of blobs, that counts its sweeps; the first `failures` of them fail."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.sweeps: list[float] = []
        self.swept = asyncio.Event()

    async def sweep(self, older_than: float = 0) -> int:
        self.sweeps.append(older_than)
        if len(self.sweeps) <= self.failures:
            raise StoreDown("away")
        self.swept.set()
        return 3


def janitor(turns: Any, blobs: Any, days: float = 30, spool: Path = NOWHERE) -> RetentionSweeper:
    return RetentionSweeper(turns, blobs, RetentionLimits(retention_days=days), spool)


async def test_turns_and_the_blobs_of_that_age_go() -> None:
    turns, blobs = Kept(), Kept()
    assert await janitor(turns, blobs, days=2).sweep() == (3, 3)
    assert abs(blobs.sweeps[0] - (time.time() - 2 * DAY)) < 60


async def test_a_failure_does_not_end_the_rounds() -> None:
    turns, blobs = Kept(failures=2), Kept(failures=1)
    rounds = janitor(turns, blobs, days=24 * 0.01 / DAY)
    rounds.start()
    try:
        async with asyncio.timeout(5):
            await blobs.swept.wait()
    finally:
        await rounds.close()
    assert len(turns.sweeps) >= 4


async def test_closing_ends_the_rounds() -> None:
    turns, blobs = Kept(), Kept()
    rounds = janitor(turns, blobs, days=24 * 0.01 / DAY)
    rounds.start()
    async with asyncio.timeout(5):
        await blobs.swept.wait()
    await rounds.close()
    count = len(blobs.sweeps)
    await asyncio.sleep(0.05)
    assert len(blobs.sweeps) == count


async def test_what_never_started_closes_too() -> None:
    await janitor(Kept(), Kept()).close()


async def test_what_killed_processes_left_on_its_way_goes(tmp_path: Path) -> None:
    left, fresh = tmp_path / "left", tmp_path / "fresh"
    for path in (left, fresh):
        path.write_bytes(b"a photo")
    os.utime(left, (time.time() - ABANDONED_AFTER - 60,) * 2)
    await janitor(Kept(), Kept(), spool=tmp_path).sweep()
    assert (left.exists(), fresh.exists()) == (False, True)


async def test_a_link_to_an_old_file_is_on_its_way_and_the_file_is_never_deleted(
    tmp_path: Path,
) -> None:
    (spool := tmp_path / "spool").mkdir()
    (photo := tmp_path / "photo.jpg").write_bytes(b"a photo")
    (spool / "link").symlink_to(photo)
    (spool / "left").symlink_to(tmp_path / "nowhere")
    for path in (photo, spool / "left"):
        os.utime(path, (time.time() - ABANDONED_AFTER - 60,) * 2, follow_symlinks=False)
    await janitor(Kept(), Kept(), spool=spool).sweep()
    assert [path.name for path in spool.iterdir()] == ["link"]
    assert photo.exists()
