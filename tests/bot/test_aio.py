"""Tasks side by side, and tasks that end even if they lose a cancellation."""

from __future__ import annotations

import asyncio

import pytest

from bot.aio import end, fan_out


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


async def test_what_a_task_raises_is_not_raised_where_it_is_ended() -> None:
    async def failing() -> None:
        raise ZeroDivisionError

    task = asyncio.create_task(failing())
    await asyncio.sleep(0)
    await end(task)
    assert task.done()


class Bench:
    """Works on numbers until they are let go, and counts how many are worked on."""

    def __init__(self) -> None:
        self.gates: dict[int, asyncio.Event] = {}
        self.ended: list[int] = []
        self.at_once = self.most_at_once = 0

    async def work(self, number: int) -> str:
        gate = self.gates.setdefault(number, asyncio.Event())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await gate.wait()
        finally:
            self.at_once -= 1
            self.ended.append(number)
        if number < 0:
            raise ValueError(str(number))
        return str(number)

    async def let_go(self, *numbers: int) -> None:
        for number in numbers:
            while number not in self.gates:
                await asyncio.sleep(0)
            self.gates[number].set()
            while number not in self.ended:
                await asyncio.sleep(0)


async def test_results_come_in_the_order_of_the_items() -> None:
    bench = Bench()
    working = asyncio.create_task(fan_out(bench.work, [1, 2, 3]))
    await bench.let_go(3, 1, 2)
    assert list((await working).items()) == [(0, "1"), (1, "2"), (2, "3")]


async def test_no_items_are_no_work() -> None:
    assert await fan_out(Bench().work, [], at_once=1, seconds=1) == {}


async def test_only_so_many_are_worked_on_at_once() -> None:
    bench = Bench()
    working = asyncio.create_task(fan_out(bench.work, range(1, 8), at_once=3))
    await bench.let_go(*range(1, 8))
    assert len(await working) == 7
    assert bench.most_at_once == 3


async def test_what_does_not_end_in_time_is_cancelled_and_missing() -> None:
    bench = Bench()
    working = asyncio.create_task(fan_out(bench.work, [1, 2, 3], at_once=2, seconds=0.05))
    await bench.let_go(2)
    assert await working == {1: "2"}
    assert bench.at_once == 0


async def test_progress_counts_what_is_done() -> None:
    bench = Bench()
    steps: list[tuple[int, int]] = []
    working = asyncio.create_task(
        fan_out(bench.work, [1, 2], progress=lambda done, of: steps.append((done, of)))
    )
    await bench.let_go(2, 1)
    await working
    assert steps == [(1, 2), (2, 2)]


async def test_the_first_exception_ends_the_rest() -> None:
    bench = Bench()
    working = asyncio.create_task(fan_out(bench.work, [1, -2, 3], seconds=60))
    await bench.let_go(1, -2)
    with pytest.raises(ValueError, match="-2"):
        await working
    assert sorted(bench.ended) == [-2, 1, 3]


async def test_who_is_cancelled_leaves_nothing_running() -> None:
    bench = Bench()
    working = asyncio.create_task(fan_out(bench.work, [1, 2]))
    while bench.at_once < 2:
        await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert bench.at_once == 0
