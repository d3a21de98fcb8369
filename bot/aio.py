"""Background tasks that end when they are told to."""

from __future__ import annotations

import asyncio
from typing import Any

AGAIN = 0.2
"""Seconds after which a task that did not heed its cancellation is cancelled again."""


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until they are done; what they raise is nobody's business any more.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, which libraries use, loses a
    cancellation that comes as the inner task ends.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN)
    await asyncio.gather(*tasks, return_exceptions=True)
