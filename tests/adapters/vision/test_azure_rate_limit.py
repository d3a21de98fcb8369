"""The rate of a service's tier."""

from __future__ import annotations

import pytest

from adapters.vision.azure_rate_limit import WindowRateLimiter
from bot.clock import Clock
from bot.errors import VisionProblem, VisionReason


class Fake(Clock):
    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def clock() -> Fake:
    return Fake()


async def turns(pace: WindowRateLimiter, clock: Fake, count: int) -> list[float]:
    """When so many requests get their turn, one after the other."""
    times = []
    for _ in range(count):
        await pace.turn(1000)
        times.append(clock.time - 100)
    return times


async def test_no_more_than_the_rate_in_any_window(clock: Fake) -> None:
    assert await turns(WindowRateLimiter(2, 60, clock), clock, 5) == [0, 0, 60, 60, 120]


async def test_a_window_slides(clock: Fake) -> None:
    pace = WindowRateLimiter(2, 10, clock)
    await pace.turn(0)
    clock.time += 6
    await pace.turn(0)
    await pace.turn(10)
    assert clock.time == 110


async def test_a_hold_is_kept(clock: Fake) -> None:
    pace = WindowRateLimiter(2, 1, clock)
    pace.hold(7)
    pace.hold(3)
    assert await turns(pace, clock, 1) == [7]


async def test_a_turn_too_far_off_is_refused_and_takes_no_place(clock: Fake) -> None:
    pace = WindowRateLimiter(1, 60, clock)
    await pace.turn(0)
    for _ in range(3):
        with pytest.raises(VisionProblem) as caught:
            await pace.turn(59)
        assert caught.value.reason is VisionReason.BUSY
    clock.time += 60
    await pace.turn(0)
