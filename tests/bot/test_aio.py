"""Background tasks: told to end, they end, even if they lose a cancellation."""

from __future__ import annotations

import asyncio

from bot.aio import end


async def test_tasks_are_over_when_they_were_ended() -> None:
    tasks = [asyncio.create_task(asyncio.sleep(60)) for _ in range(3)]
    await end(*tasks)
    assert all(task.cancelled() for task in tasks)


async def test_no_task_at_all_is_ended_at_once() -> None:
    await end()


async def test_a_task_that_lost_a_cancellation_is_cancelled_again() -> None:
    lost = 0

    async def deaf() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost += 1
                if lost == 2:
                    raise

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end(task)
    assert task.cancelled()


async def test_what_a_task_raises_is_nobodys_business() -> None:
    async def failing() -> None:
        raise ZeroDivisionError

    task = asyncio.create_task(failing())
    await asyncio.sleep(0)
    await end(task)
    assert task.done()
