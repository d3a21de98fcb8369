"""When a request to a model is retried, and after how long."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from openai import APIStatusError

from bot.retry import Backoff, RetryBudget, RetryPolicy, retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.models.settings import ModelSettings
    from bot.clock import Clock
    from bot.errors import ModelProblem

BACKOFF = Backoff(longest=8.0, jitter=(0.75, 1.25))
NO_QUOTA = "insufficient_quota"
"""OpenAI's code of an account without credit, which no wait changes."""


def retry_budget(settings: ModelSettings, clock: Clock) -> RetryBudget:
    """Begin the attempts of one answer; a service that asks for a longer wait gets no more."""
    policy = RetryPolicy(settings.tries, settings.retry_seconds, BACKOFF, longest_wait=math.inf)
    return RetryBudget(policy, clock)


def wait_before_retry(budget: RetryBudget, problem: ModelProblem, error: Exception) -> float | None:
    """Take another attempt; return the seconds to wait before it, None when there is none."""
    if not problem.temporary or NO_QUOTA in problem.detail:
        return None
    headers = error.response.headers if isinstance(error, APIStatusError) else {}
    return budget.take(requested_wait(headers))


def requested_wait(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a service asks to wait; the milliseconds are Azure OpenAI's."""
    try:
        return float(headers["Retry-After-Ms"]) / 1000
    except (KeyError, ValueError):
        return retry_after(headers)
