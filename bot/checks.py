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
    """The result of the check of one part."""

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

FOLDER = "Set LOUPE_DATA to a folder that Loupe may write to, on a disk with free space."
REDIS = "Check REDIS_URL, and that the Redis server is running and accepts this machine."
OBJECT_STORE = "Check LOUPE_MEDIA_URL and the credentials of the object store."
VISION = "Check VISION_ENDPOINT and VISION_KEY, or the role of Loupe's identity there."
ENGINE = "Check LOUPE_VISION_MEMORY and the free memory of this machine, or reinstall Loupe."
EMBEDDING = (
    "Until then frames of videos are chosen in another way; some regions have no embeddings."
)
SPEECH = (
    "Check the deployment and its name; until then answers do not cover what is said in videos."
)


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
    """Check that the data folder is writable."""

    def write() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(str(time.time()).encode())

    await asyncio.to_thread(write)
    return f"{folder} is writable."
