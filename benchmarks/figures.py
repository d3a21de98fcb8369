"""Figures as they are printed: percentiles, tables, and what they were measured on."""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.memory import Memory


def percentile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that `share` (0 to 1) of all values do not exceed."""
    ordered_values = sorted(values)
    return ordered_values[max(0, math.ceil(share * len(ordered_values)) - 1)]


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a heading; the first column is words, the others are figures."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    print(f"\n{title}\n")
    for row in (head, *rows):
        name, *rest = row
        figures = "".join(
            f"  {cell:>{width}}" for cell, width in zip(rest, widths[1:], strict=True)
        )
        print(f"  {name:{widths[0]}}{figures}")


def memory_table(moments: Mapping[str, Memory]) -> None:
    """Print the memory of a running Loupe at some moments."""

    def cell(megabytes: float | None) -> str:
        return "-" if megabytes is None else f"{megabytes:.0f}"

    table(
        "Memory of Loupe, MB",
        ("", "serving", "children", "store"),
        [(when, cell(m.serving), cell(m.children), cell(m.store)) for when, m in moments.items()],
    )


def verdict(what: str, aim: str, *, success: bool) -> None:
    """Print a result beside what it was to be."""
    print(f"  {what} (aim {aim}: {'reached' if success else 'missed'})")


def machine() -> str:
    """Name the processor, the number of its cores, the load before, and the versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{_processor()}, {cores} cores, load {os.getloadavg()[0]:.1f}, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "an unknown processor")
