"""Send rates: no window of time ever holds more sends than it may."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http.rate_limit import LONGEST, RateLimiter
from tests.helpers.fakes import FakeClock

RATES = ((7, 1.0), (8, 2.0), (60, 30.0), (1800, 3600.0))


async def sends(clock, pacer, number, gap=0.0):
    """Send again and again, and note when each got its turn."""
    times = []
    for _ in range(number):
        await pacer.turn("a chat", RATES)
        times.append(clock.time)
        clock.time += gap
    return times


@given(gap=st.floats(0, 3))
def test_no_window_holds_more_than_it_may(gap):
    clock = FakeClock()
    times = asyncio.run(sends(clock, RateLimiter(clock, most=1e6), 300, gap))
    for most, window in RATES:
        assert all(b - a >= window - 1e-6 for a, b in zip(times, times[most:], strict=False))


async def test_an_hour_holds_no_more_than_it_may():
    clock = FakeClock()
    times = await sends(clock, RateLimiter(clock, most=1e6), 1801)
    assert times[1800] - times[0] >= LONGEST
    assert times[1799] - times[0] < 1000


async def test_few_sends_do_not_wait():
    clock = FakeClock()
    await sends(clock, RateLimiter(clock, most=45), 7)
    assert clock.waits == []


async def test_those_who_wait_go_in_order():
    clock = FakeClock()
    pacer = RateLimiter(clock, most=1e6)
    await asyncio.gather(*(pacer.turn("a chat", RATES) for _ in range(30)))
    begun = 1000.0
    turns = [begun, *(clock.waits)]
    assert all(a <= b for a, b in pairwise(turns[1:]))


async def test_lines_do_not_wait_for_each_other():
    clock = FakeClock()
    pacer = RateLimiter(clock, most=45)
    for number in range(100):
        await pacer.turn(f"chat {number}", RATES)
    assert clock.waits == []


async def test_no_wait_is_longer_than_told():
    clock = FakeClock()
    await sends(clock, RateLimiter(clock, most=5), 2000)
    assert max(clock.waits) <= 5


async def test_quiet_lines_are_forgotten():
    clock = FakeClock()
    pacer = RateLimiter(clock, most=45)
    for number in range(100):
        await pacer.turn(f"chat {number}", RATES)
        pacer.hold(f"chat {number}", 1)
    clock.time += LONGEST + 1
    await pacer.turn("another", RATES)
    assert (len(pacer._turns), len(pacer._held)) == (1, 0)


async def test_a_busy_line_does_not_keep_the_quiet_ones():
    clock = FakeClock()
    pacer = RateLimiter(clock, most=45)
    for line in ("busy", "quiet", "still"):
        await pacer.turn(line, RATES)
    clock.time += LONGEST - 1
    await pacer.turn("busy", RATES)
    clock.time += 2
    await pacer.turn("busy", RATES)
    assert list(pacer._turns) == ["busy"]


async def test_a_slow_line_is_remembered_while_a_brisk_one_goes_on():
    clock = FakeClock()
    pacer = RateLimiter(clock, most=1e6)
    await pacer.turn("slow", [(1, 60.0)])
    for _ in range(20):
        await pacer.turn("brisk", [(1, 1.0)])
    waited = sum(clock.waits)
    await pacer.turn("slow", [(1, 60.0)])
    assert sum(clock.waits) == pytest.approx(60)
    assert waited == pytest.approx(19)


async def test_room_is_told_and_not_taken():
    clock = FakeClock()
    pacer = RateLimiter(clock, most=45)
    for _ in range(7):
        assert pacer.room("a chat", RATES)
        assert pacer.room("a chat", RATES)
        await pacer.turn("a chat", RATES)
    assert not pacer.room("a chat", RATES)
    assert pacer.room("another", RATES)
    clock.time += 1
    assert pacer.room("a chat", RATES)
    assert clock.waits == []


async def test_a_line_is_held_as_long_as_was_asked():
    clock = FakeClock()
    pacer = RateLimiter(clock, most=45)
    pacer.hold("a chat", 10)
    pacer.hold("a chat", 2)
    assert not pacer.room("a chat", RATES)
    await pacer.turn("another", RATES)
    assert clock.waits == []
    await pacer.turn("a chat", RATES)
    assert clock.waits == [10]
    assert pacer.room("a chat", RATES)


async def test_no_line_is_held_longer_than_told():
    clock = FakeClock()
    pacer = RateLimiter(clock, most=5)
    pacer.hold("a chat", 999_999_999)
    await pacer.turn("a chat", RATES)
    assert clock.waits == [5]
    assert pacer.held("a chat") == LONGEST - 5
    clock.time += LONGEST
    assert pacer.held("a chat") == 0
    assert pacer.room("a chat", RATES)


async def test_a_hold_that_is_over_before_it_began_is_none():
    clock = FakeClock()
    pacer = RateLimiter(clock, most=5)
    pacer.hold("a chat", -3)
    assert pacer.room("a chat", RATES)
    await pacer.turn("a chat", RATES)
    assert clock.waits == []


async def test_a_line_without_rates_waits_only_while_it_is_held():
    clock = FakeClock()
    pacer = RateLimiter(clock, most=45)
    for _ in range(50):
        await pacer.turn("free", ())
    assert clock.waits == []
    pacer.hold("free", 3)
    await pacer.turn("free", ())
    assert clock.waits == [3]
