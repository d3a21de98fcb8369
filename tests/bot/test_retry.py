"""Waiting between tries, with a clock of the test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import structlog

from bot.retry import (
    LONGEST_WAIT,
    SHORTEST_WAIT,
    AttemptFailed,
    Backoff,
    RetryBudget,
    RetryPolicy,
    is_temporary,
    retry_after,
    retrying,
)
from tests.helpers.fakes import FakeClock


async def test_waits_grow_and_end_with_the_tries():
    clock = FakeClock()
    budget = RetryBudget(RetryPolicy(5, 1000), clock)
    assert [await budget.pause() for _ in range(6)] == [True] * 4 + [False] * 2
    for wait, step in zip(clock.waits, (0.5, 1, 2, 4), strict=True):
        assert step / 2 <= wait <= step


async def test_waits_differ_so_that_many_clients_do_not_come_at_once():
    clock = FakeClock()
    for _ in range(20):
        budget = RetryBudget(RetryPolicy(3, 1000), clock)
        await budget.pause()
        await budget.pause()
    assert len(set(clock.waits[1::2])) > 10


async def test_no_wait_is_longer_than_the_cap_or_shorter_than_the_floor():
    clock = FakeClock()
    budget = RetryBudget(RetryPolicy(99, 1e9), clock)
    for asked in (0, -5, 1e6):
        await budget.pause(asked)
    for _ in range(20):
        await budget.pause()
    assert clock.waits[:3] == [SHORTEST_WAIT, SHORTEST_WAIT, LONGEST_WAIT]
    assert max(clock.waits) <= LONGEST_WAIT


async def test_nothing_is_tried_after_the_time():
    clock = FakeClock()
    budget = RetryBudget(RetryPolicy(99, 10), clock)
    assert await budget.pause(9)
    assert not await budget.pause(2)
    assert clock.waits == [9]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("  7", 7),
        ("1.5", 1.5),
        ("0.0", 0),
        ("9" * 50, 999_999_999),
        ("9" * 5000, 999_999_999),
    ],
)
def test_retry_after_in_seconds(value, seconds):
    assert retry_after({"Retry-After": value}) == seconds


@pytest.mark.parametrize("usegmt", [True, False])
def test_retry_after_as_a_date(usegmt):
    when = datetime.now(UTC) + timedelta(seconds=60)
    assert retry_after({"Retry-After": format_datetime(when, usegmt)}) == pytest.approx(60, abs=2)


@pytest.mark.parametrize(
    "value",
    ["Wed, 21 Oct 2015 07:28:00 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
)
def test_a_date_in_the_past_asks_for_no_wait(value):
    assert retry_after({"Retry-After": value}) == 0


def test_a_date_in_a_far_future_asks_for_the_longest_wait():
    assert retry_after({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}) == 999_999_999


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "-1",
        "-1.5",
        "1.",
        ".5",
        "1e3",
        "inf",
        "nan",
        "1,5",
        "²",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "\x00",
    ],
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


async def test_what_may_be_retried_is_attempted_until_it_works():
    clock = FakeClock()
    attempts = Attempts(
        AttemptFailed(ValueError("busy"), retry=True, requested_wait=7),
        AttemptFailed(ValueError("cut"), retry=True),
    )
    with structlog.testing.capture_logs() as logged:
        budget = RetryBudget(RetryPolicy(5, 100), clock)
        assert await retrying(attempts, budget, "not_yet", of="a") == "done"
    assert attempts.made == 3
    assert clock.waits[0] == 7
    level = {"event": "not_yet", "of": "a", "log_level": "info"}
    assert logged == [level | {"why": "busy"}, level | {"why": "cut"}]


async def test_what_may_not_be_retried_is_raised_at_once():
    clock = FakeClock()
    attempts = Attempts(AttemptFailed(KeyError("gone"), retry=False, requested_wait=1))
    with pytest.raises(KeyError):
        await retrying(attempts, RetryBudget(RetryPolicy(5, 100), clock), "not_yet")
    assert (attempts.made, clock.waits) == (1, [])


async def test_the_last_problem_is_raised_when_the_budget_ends():
    attempts = Attempts(*(AttemptFailed(ValueError(str(at)), retry=True) for at in range(9)))
    with pytest.raises(ValueError, match="2") as raised:
        await retrying(attempts, RetryBudget(RetryPolicy(3, 100), FakeClock()), "not_yet")
    assert attempts.made == 3
    assert raised.value.__suppress_context__


async def test_anything_else_is_not_repeated():
    attempts = Attempts(RuntimeError("a mistake"))
    with pytest.raises(RuntimeError):
        await retrying(attempts, RetryBudget(RetryPolicy(3, 100), FakeClock()), "not_yet")
    assert attempts.made == 1


async def test_a_policy_without_limits_goes_on():
    clock = FakeClock()
    budget = RetryBudget(RetryPolicy(backoff=Backoff(1.0, 8.0, (1.0, 1.0))), clock)
    assert all([await budget.pause() for _ in range(2000)])
    assert clock.waits[:6] == [1, 2, 4, 8, 8, 8]
    assert clock.waits[-1] == 8


async def test_waits_that_were_requested_do_not_make_the_others_longer():
    clock = FakeClock()
    budget = RetryBudget(RetryPolicy(9, 1000, Backoff(1.0, jitter=(1.0, 1.0))), clock)
    for requested_wait in (3, None, 4, None):
        await budget.pause(requested_wait)
    assert clock.waits == [3, 1, 4, 2]


async def test_a_wait_may_be_taken_without_waiting():
    clock = FakeClock()
    budget = RetryBudget(RetryPolicy(3, 10, longest_wait=60), clock)
    assert budget.take(7) == 7
    assert budget.take(11) is None
    assert budget.take(0) == SHORTEST_WAIT
    assert budget.take(0) is None
    assert clock.waits == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 507, 529])
def test_what_may_pass_is_temporary(status):
    assert is_temporary(status)


@pytest.mark.parametrize("status", [0, 200, 302, 400, 401, 403, 404, 409, 412, 413, 425])
def test_everything_else_is_not(status):
    assert not is_temporary(status)
