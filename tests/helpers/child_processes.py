"""Processes that tests watch from outside."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path


class PidPipe:
    """A pipe with a name, on which a call under way says which process it is in."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    async def pid(self) -> int:
        written_event = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._end, written_event.set)
        try:
            await asyncio.wait_for(written_event.wait(), 20)
        finally:
            loop.remove_reader(self._end)
        return int(os.read(self._end, 64))

    def close(self) -> None:
        os.close(self._end)


def is_alive(pid: int) -> bool:
    """Return whether a process still runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
