"""The documented send rates: no window of time ever holds more sends than it may."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from adapters.teams.pace import LONGEST, RATES, Pacer
from tests.fakes import FakeClock


async def sends(clock, pacer, number, gap=0.0):
    """Send again and again, and note when each got its turn."""
    times = []
    for _ in range(number):
        await pacer.turn("a chat")
        times.append(clock.time)
        clock.time += gap
    return times


@given(gap=st.floats(0, 3))
def test_no_window_holds_more_than_it_may(gap):
    clock = FakeClock()
    times = asyncio.run(sends(clock, Pacer(clock, most=1e6), 300, gap))
    for most, window in RATES:
        assert all(b - a >= window - 1e-6 for a, b in zip(times, times[most:], strict=False))


async def test_an_hour_holds_no_more_than_it_may():
    clock = FakeClock()
    times = await sends(clock, Pacer(clock, most=1e6), 1801)
    assert times[1800] - times[0] >= LONGEST
    assert times[1799] - times[0] < 1000


async def test_few_sends_do_not_wait():
    clock = FakeClock()
    await sends(clock, Pacer(clock, most=45), 7)
    assert clock.waits == []


async def test_those_who_wait_go_in_order():
    clock = FakeClock()
    pacer = Pacer(clock, most=1e6)
    await asyncio.gather(*(pacer.turn("a chat") for _ in range(30)))
    begun = 1000.0
    turns = [begun, *(clock.waits)]
    assert all(a <= b for a, b in pairwise(turns[1:]))


async def test_conversations_do_not_wait_for_each_other():
    clock = FakeClock()
    pacer = Pacer(clock, most=45)
    for number in range(100):
        await pacer.turn(f"chat {number}")
    assert clock.waits == []


async def test_no_wait_is_longer_than_told():
    clock = FakeClock()
    await sends(clock, Pacer(clock, most=5), 2000)
    assert max(clock.waits) <= 5


async def test_quiet_conversations_are_forgotten():
    clock = FakeClock()
    pacer = Pacer(clock, most=45)
    for number in range(100):
        await pacer.turn(f"chat {number}")
    clock.time += LONGEST + 1
    await pacer.turn("another")
    assert len(pacer._turns) == 1
