"""Resident memory of processes in megabytes, as Linux tells it; None elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PROCESSES = Path("/proc")


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a serving process, of its child processes, and of the store's server."""

    serving: float | None
    children: float | None
    store: float | None


def resident(process: int) -> float | None:
    """Return how much memory a process holds now."""
    kilobytes = _status(process, "VmRSS")
    return None if kilobytes is None else kilobytes / 1024


def children(parent: int) -> float | None:
    """Return how much the processes hold that a process has started and that still belong to it."""
    if resident(parent) is None:
        return None
    return sum(resident(one) or 0.0 for one in _started(parent))


def peak(parent: int) -> float | None:
    """Add up the most that a process and those it has started have held, each by itself."""
    sizes = [_status(one, "VmHWM") for one in (parent, *_started(parent))]
    megabytes = [kilobytes / 1024 for kilobytes in sizes if kilobytes is not None]
    return sum(megabytes) if megabytes else None


def _started(parent: int) -> list[int]:
    """List the processes that a process has started and that still belong to it."""
    if not PROCESSES.is_dir():
        return []
    processes = (int(entry.name) for entry in PROCESSES.iterdir() if entry.name.isdecimal())
    return [one for one in processes if _status(one, "PPid") == parent]


def _status(process: int, field: str) -> int | None:
    try:
        status = (PROCESSES / str(process) / "status").read_text()
    except OSError:
        return None
    match = re.search(rf"^{field}:\s+(\d+)", status, re.MULTILINE)
    return int(match[1]) if match else None
