"""Checks every configured part for `loupe doctor`, and says what to do."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part."""

    part: str
    well: bool
    says: str


Check = tuple[str, "Callable[[], Awaitable[str]]"]
"""A part's name, and what tries it: returns a sentence, or raises what is wrong with it."""

SECONDS = 20.0
"""Longest check of one part."""


async def examine(checks: list[Check]) -> list[Finding]:
    """Try all parts side by side."""
    return list(await asyncio.gather(*(_examine(part, check) for part, check in checks)))


async def _examine(part: str, check: Callable[[], Awaitable[str]]) -> Finding:
    try:
        async with asyncio.timeout(SECONDS):
            return Finding(part, True, await check())
    except TimeoutError:
        return Finding(part, False, f"no answer within {SECONDS:g} seconds.")
    except Exception as error:
        return Finding(part, False, f"{str(error) or type(error).__name__}")


async def writable(folder: Path) -> str:
    """Check that the data folder can be written to."""

    def write() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(str(time.time()).encode())

    await asyncio.to_thread(write)
    return f"{folder} can be written to."
