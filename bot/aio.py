"""Tasks side by side, bounded in number and time, and tasks that end when they are cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")

Progress = Callable[[int, int], None]
"""Gets how many items are done, and of how many."""
CANCEL_SECONDS = 0.2
"""Seconds after which a task that did not heed its cancellation is cancelled again."""


async def fan_out(
    work: Callable[[Item], Awaitable[Result]],
    items: Sequence[Item],
    *,
    at_once: int | None = None,
    seconds: float | None = None,
    progress: Progress | None = None,
) -> dict[int, Result]:
    """Work on all items side by side, at most `at_once` at the same time.

    Returns the results by the index of their item, in that order. What has not ended within
    `seconds` is cancelled and missing; without them nothing is. The first exception is raised at
    once, and cancels the rest. No task outlives the call.
    """
    slots = nullcontext() if at_once is None else asyncio.Semaphore(at_once)
    results: dict[int, Result] = {}

    async def work_on(index: int, item: Item) -> None:
        async with slots:
            results[index] = await work(item)
        if progress is not None:
            progress(len(results), len(items))

    tasks = [asyncio.create_task(work_on(index, item)) for index, item in enumerate(items)]
    try:
        if tasks:
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        await end(*tasks)
    return dict(sorted(results.items()))


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until they are done, whatever they raise.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, which libraries use, loses a
    cancellation that comes as the inner task ends.
    """
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=CANCEL_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
