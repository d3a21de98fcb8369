"""Waiting between tries, with a clock of the test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import structlog

from adapters.http.retry import CAP, FLOOR, Failed, Retries, RetryPolicy, insist, retry_after
from tests.helpers.fakes import FakeClock


async def test_waits_grow_and_end_with_the_tries():
    clock = FakeClock()
    retries = Retries(RetryPolicy(5, 1000), clock)
    assert [await retries.again() for _ in range(6)] == [True] * 4 + [False] * 2
    for wait, step in zip(clock.waits, (0.5, 1, 2, 4), strict=True):
        assert step / 2 <= wait <= step


async def test_waits_differ_so_that_many_clients_do_not_come_at_once():
    clock = FakeClock()
    for _ in range(20):
        retries = Retries(RetryPolicy(3, 1000), clock)
        await retries.again()
        await retries.again()
    assert len(set(clock.waits[1::2])) > 10


async def test_no_wait_is_longer_than_the_cap_or_shorter_than_the_floor():
    clock = FakeClock()
    retries = Retries(RetryPolicy(99, 1e9), clock)
    for asked in (0, -5, 1e6):
        await retries.again(asked)
    for _ in range(20):
        await retries.again()
    assert clock.waits[:3] == [FLOOR, FLOOR, CAP]
    assert max(clock.waits) <= CAP


async def test_nothing_is_tried_after_the_time():
    clock = FakeClock()
    retries = Retries(RetryPolicy(99, 10), clock)
    assert await retries.again(9)
    assert not await retries.again(2)
    assert clock.waits == [9]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0), ("120", 120), (" 7 ", 7), ("9" * 50, 999_999_999)],
)
def test_retry_after_in_seconds(value, seconds):
    assert retry_after({"Retry-After": value}) == seconds


@pytest.mark.parametrize("usegmt", [True, False])
def test_retry_after_as_a_date(usegmt):
    when = datetime.now(UTC) + timedelta(seconds=60)
    assert retry_after({"Retry-After": format_datetime(when, usegmt)}) == pytest.approx(60, abs=2)


@pytest.mark.parametrize(
    "value",
    ["", "soon", "-1", "1.5", "²", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "\x00"],
)
def test_any_other_retry_after_counts_for_nothing(value):
    assert retry_after({"Retry-After": value}) is None


def test_no_retry_after():
    assert retry_after({}) is None


class Attempts:
    """Fails with each failure in turn, and then works."""

    def __init__(self, *failures):
        self._failures = list(failures)
        self.made = 0

    async def __call__(self):
        self.made += 1
        if self._failures:
            raise self._failures.pop(0)
        return "done"


async def test_what_may_be_repeated_is_insisted_on():
    clock = FakeClock()
    attempts = Attempts(
        Failed(ValueError("busy"), again=True, asked=7), Failed(ValueError("cut"), again=True)
    )
    with structlog.testing.capture_logs() as logged:
        assert (
            await insist(attempts, Retries(RetryPolicy(5, 100), clock), "not_yet", of="a") == "done"
        )
    assert attempts.made == 3
    assert clock.waits[0] == 7
    level = {"event": "not_yet", "of": "a", "log_level": "info"}
    assert logged == [level | {"why": "busy"}, level | {"why": "cut"}]


async def test_what_may_not_be_repeated_is_raised_at_once():
    clock = FakeClock()
    attempts = Attempts(Failed(KeyError("gone"), again=False, asked=1))
    with pytest.raises(KeyError):
        await insist(attempts, Retries(RetryPolicy(5, 100), clock), "not_yet")
    assert (attempts.made, clock.waits) == (1, [])


async def test_the_last_problem_is_raised_when_patience_ends():
    attempts = Attempts(*(Failed(ValueError(str(at)), again=True) for at in range(9)))
    with pytest.raises(ValueError, match="2") as raised:
        await insist(attempts, Retries(RetryPolicy(3, 100), FakeClock()), "not_yet")
    assert attempts.made == 3
    assert raised.value.__suppress_context__


async def test_anything_else_is_not_repeated():
    attempts = Attempts(RuntimeError("a mistake"))
    with pytest.raises(RuntimeError):
        await insist(attempts, Retries(RetryPolicy(3, 100), FakeClock()), "not_yet")
    assert attempts.made == 1
