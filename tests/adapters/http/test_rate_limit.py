"""Send rates: no window of time ever holds more sends than it may."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http.rate_limit import LONGEST_HOLD, RateLimiter
from tests.helpers.fakes import FakeClock

RATES = ((7, 1.0), (8, 2.0), (60, 30.0), (1800, 3600.0))


async def sends(clock, limiter, number, gap=0.0):
    """Send again and again, and note when each got its turn."""
    times = []
    for _ in range(number):
        await limiter.turn("a chat", RATES)
        times.append(clock.time)
        clock.time += gap
    return times


@given(gap=st.floats(0, 3))
def test_no_window_holds_more_than_it_may(gap):
    clock = FakeClock()
    times = asyncio.run(sends(clock, RateLimiter(clock, longest=1e6), 300, gap))
    for most, window in RATES:
        assert all(b - a >= window - 1e-6 for a, b in zip(times, times[most:], strict=False))


async def test_an_hour_holds_no_more_than_it_may():
    clock = FakeClock()
    times = await sends(clock, RateLimiter(clock, longest=1e6), 1801)
    assert times[1800] - times[0] >= LONGEST_HOLD
    assert times[1799] - times[0] < 1000


async def test_few_sends_do_not_wait():
    clock = FakeClock()
    await sends(clock, RateLimiter(clock, longest=45), 7)
    assert clock.waits == []


async def test_those_who_wait_go_in_order():
    clock = FakeClock()
    limiter = RateLimiter(clock, longest=1e6)
    await asyncio.gather(*(limiter.turn("a chat", RATES) for _ in range(30)))
    begun = 1000.0
    turns = [begun, *(clock.waits)]
    assert all(a <= b for a, b in pairwise(turns[1:]))


async def test_buckets_do_not_wait_for_each_other():
    clock = FakeClock()
    limiter = RateLimiter(clock, longest=45)
    for number in range(100):
        await limiter.turn(f"chat {number}", RATES)
    assert clock.waits == []


async def test_no_wait_is_longer_than_told():
    clock = FakeClock()
    await sends(clock, RateLimiter(clock, longest=5), 2000)
    assert max(clock.waits) <= 5


async def test_quiet_buckets_are_forgotten():
    clock = FakeClock()
    limiter = RateLimiter(clock, longest=45)
    for number in range(100):
        await limiter.turn(f"chat {number}", RATES)
        limiter.hold(f"chat {number}", 1)
    clock.time += LONGEST_HOLD + 1
    await limiter.turn("another", RATES)
    assert (len(limiter._turns), len(limiter._holds)) == (1, 0)


async def test_a_busy_bucket_does_not_keep_the_quiet_ones():
    clock = FakeClock()
    limiter = RateLimiter(clock, longest=45)
    for line in ("busy", "quiet", "still"):
        await limiter.turn(line, RATES)
    clock.time += LONGEST_HOLD - 1
    await limiter.turn("busy", RATES)
    clock.time += 2
    await limiter.turn("busy", RATES)
    assert list(limiter._turns) == ["busy"]


async def test_a_slow_bucket_is_remembered_while_a_brisk_one_goes_on():
    clock = FakeClock()
    limiter = RateLimiter(clock, longest=1e6)
    await limiter.turn("slow", [(1, 60.0)])
    for _ in range(20):
        await limiter.turn("fast_rates", [(1, 1.0)])
    waited = sum(clock.waits)
    await limiter.turn("slow", [(1, 60.0)])
    assert sum(clock.waits) == pytest.approx(60)
    assert waited == pytest.approx(19)


async def test_the_delay_is_returned_and_no_turn_taken():
    clock = FakeClock()
    limiter = RateLimiter(clock, longest=45)
    for _ in range(7):
        assert limiter.delay("a chat", RATES) == 0
        assert limiter.delay("a chat", RATES) == 0
        await limiter.turn("a chat", RATES)
    assert limiter.delay("a chat", RATES) > 0
    assert limiter.delay("another", RATES) == 0
    clock.time += 1
    assert limiter.delay("a chat", RATES) == 0
    assert clock.waits == []


async def test_a_bucket_is_held_as_long_as_was_asked():
    clock = FakeClock()
    limiter = RateLimiter(clock, longest=45)
    limiter.hold("a chat", 10)
    limiter.hold("a chat", 2)
    assert limiter.delay("a chat", RATES) > 0
    await limiter.turn("another", RATES)
    assert clock.waits == []
    await limiter.turn("a chat", RATES)
    assert clock.waits == [10]
    assert limiter.delay("a chat", RATES) == 0


async def test_no_bucket_is_held_longer_than_told():
    clock = FakeClock()
    limiter = RateLimiter(clock, longest=5)
    limiter.hold("a chat", 999_999_999)
    await limiter.turn("a chat", RATES)
    assert clock.waits == [5]
    assert limiter.hold_left("a chat") == LONGEST_HOLD - 5
    clock.time += LONGEST_HOLD
    assert limiter.hold_left("a chat") == 0
    assert limiter.delay("a chat", RATES) == 0


async def test_a_hold_that_is_over_before_it_began_is_none():
    clock = FakeClock()
    limiter = RateLimiter(clock, longest=5)
    limiter.hold("a chat", -3)
    assert limiter.delay("a chat", RATES) == 0
    await limiter.turn("a chat", RATES)
    assert clock.waits == []


async def test_a_bucket_without_rates_waits_only_while_it_is_held():
    clock = FakeClock()
    limiter = RateLimiter(clock, longest=45)
    for _ in range(50):
        await limiter.turn("free", ())
    assert clock.waits == []
    limiter.hold("free", 3)
    await limiter.turn("free", ())
    assert clock.waits == [3]


async def turn_times(limiter, clock, number, rate):
    """Return when so many requests get their turn, one after the other, in seconds from now."""
    begun = clock.time
    times = []
    for _ in range(number):
        await limiter.turn("a resource", [rate])
        times.append(clock.time - begun)
    return times


async def test_no_more_than_the_rate_in_any_window():
    clock = FakeClock()
    limiter = RateLimiter(clock, longest=1000)
    assert await turn_times(limiter, clock, 5, (2, 60.0)) == [0, 0, 60, 60, 120]


async def test_a_window_slides():
    clock = FakeClock()
    limiter = RateLimiter(clock, longest=1000)
    begun = clock.time
    await limiter.turn("a resource", [(2, 10.0)])
    clock.time += 6
    await limiter.turn("a resource", [(2, 10.0)])
    await limiter.turn("a resource", [(2, 10.0)])
    assert clock.time == begun + 10


async def test_the_longer_hold_counts():
    clock = FakeClock()
    limiter = RateLimiter(clock, longest=1000)
    limiter.hold("a resource", 7)
    limiter.hold("a resource", 3)
    assert await turn_times(limiter, clock, 1, (2, 1.0)) == [7]


async def test_who_asks_for_the_delay_takes_no_place():
    clock = FakeClock()
    limiter = RateLimiter(clock, longest=1000)
    await limiter.turn("a resource", [(1, 60.0)])
    for _ in range(3):
        assert limiter.delay("a resource", [(1, 60.0)]) == 60
    clock.time += 60
    await limiter.turn("a resource", [(1, 60.0)])
    assert clock.waits == []
