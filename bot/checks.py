"""Checks every configured part for `loupe doctor`, and says what to do."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bot.aio import fan_out

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was found of one part."""

    part: str
    well: bool
    says: str


class Check(NamedTuple):
    """A part's name, what tries it, and the sentence that says what to do when it fails.

    The trial returns a sentence, or raises what is wrong with the part.
    """

    part: str
    trial: Callable[[], Awaitable[str]]
    remedy: str = ""


SECONDS = 20.0
"""Longest check of one part."""

FOLDER = "Set LOUPE_DATA to a folder on a disk with free space that Loupe may write to."
REDIS = "Check REDIS_URL, and that the Redis server runs and lets this machine in."
OBJECT_STORE = "Check LOUPE_MEDIA_URL and the credentials of the object store."
VISION = "Check VISION_ENDPOINT and VISION_KEY, or the role of Loupe's identity there."
ENGINE = "Check LOUPE_VISION_MEMORY and the free memory of this machine, or install Loupe anew."
EMBEDDING = "Frames of videos are chosen by other means meanwhile; some regions have no embeddings."
SPEECH = "Videos are answered without their words meanwhile; check the deployment and its name."


async def examine(checks: list[Check]) -> list[CheckResult]:
    """Try all parts side by side."""
    return list((await fan_out(_examine, checks)).values())


async def _examine(check: Check) -> CheckResult:
    try:
        async with asyncio.timeout(SECONDS):
            return CheckResult(check.part, True, await check.trial())
    except TimeoutError:
        wrong = f"no answer within {SECONDS:g} seconds"
    except Exception as error:
        wrong = str(error) or type(error).__name__
    return CheckResult(check.part, False, f"{wrong.rstrip('.')}. {check.remedy}".rstrip())


async def writable(folder: Path) -> str:
    """Check that the data folder can be written to."""

    def write() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(str(time.time()).encode())

    await asyncio.to_thread(write)
    return f"{folder} can be written to."
