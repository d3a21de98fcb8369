"""How many tries, and how long between them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest
from openai import APIConnectionError, RateLimitError

from adapters.models.retry import BACKOFF, requested_wait, retry_budget, wait_before_retry
from adapters.models.settings import ModelSettings
from bot.errors import ModelProblem, ModelReason
from bot.retry import SHORTEST_WAIT, RetryBudget
from tests.helpers.fakes import FakeClock

BUSY = ModelProblem(ModelReason.BUSY)
ASKED = httpx2.Request("POST", "http://127.0.0.1/")
LOST = APIConnectionError(request=ASKED)


def budget(tries: int, seconds: float = 1000) -> RetryBudget:
    settings = ModelSettings(tries=tries, retry_seconds=seconds, _env_file=None)
    return retry_budget(settings, FakeClock())


def busy(**headers: str) -> RateLimitError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return RateLimitError("", response=httpx2.Response(429, headers=named, request=ASKED), body={})


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "3", "retry-after-ms": "120"}, 0.12),
        ({"retry-after": "3", "retry-after-ms": "soon"}, 3.0),
        ({"retry-after": "soon"}, None),
    ],
)
def test_the_most_exact_header_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert requested_wait(httpx2.Headers(headers)) == seconds


def test_a_date_is_read_as_a_wait() -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert requested_wait(httpx2.Headers({"retry-after": when})) == pytest.approx(60, abs=2)


@pytest.mark.parametrize(
    "headers",
    [
        {"retry_after_ms": "1"},
        {"retry_after_ms": "-5"},
        {"retry_after": "0"},
        {"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"},
    ],
)
def test_a_service_cannot_ask_for_a_storm(headers: dict[str, str]) -> None:
    assert wait_before_retry(budget(2), BUSY, busy(**headers)) == SHORTEST_WAIT


@pytest.mark.parametrize(
    "headers",
    [
        {"retry_after": "1001"},
        {"retry_after": "9" * 50},
        {"retry_after_ms": "inf"},
        {"retry_after_ms": "1e300"},
    ],
)
def test_a_service_cannot_ask_for_ever(headers: dict[str, str]) -> None:
    assert wait_before_retry(budget(2), BUSY, busy(**headers)) is None


def test_waits_grow_to_a_limit_and_tries_end() -> None:
    attempts, longest = budget(9), BACKOFF.longest * 1.25
    waits = [wait_before_retry(attempts, BUSY, LOST) for _ in range(9)]
    assert waits.pop() is None
    within = [wait is not None and SHORTEST_WAIT <= wait <= longest for wait in waits]
    assert within == [True] * 8
    assert (waits[0] or 0) < (waits[3] or 0)


def test_no_try_begins_after_the_time_is_over() -> None:
    assert wait_before_retry(budget(9, 0), BUSY, LOST) is None


@pytest.mark.parametrize(
    "problem",
    [
        ModelProblem(ModelReason.FILTERED),
        ModelProblem(ModelReason.EMPTY),
        ModelProblem(ModelReason.BUSY, "429 insufficient_quota"),
    ],
)
def test_what_stays_as_it_is_gets_no_second_try(problem: ModelProblem) -> None:
    assert wait_before_retry(budget(9), problem, LOST) is None
