"""When a request is tried again, and after how long."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from openai import APIStatusError

from adapters.http.retry import retry_after
from bot.errors import ModelReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.models.settings import ModelSettings
    from bot.errors import ModelProblem

PASSING = {
    ModelReason.BUSY,
    ModelReason.FAILED,
    ModelReason.TIMED_OUT,
    ModelReason.UNREACHABLE,
    ModelReason.CUT,
}
SHORTEST = 0.25
LONGEST = 8.0


class RetryBudget:
    """The tries of one answer: so many, and none begun later than so many seconds."""

    def __init__(self, settings: ModelSettings) -> None:
        self._left = settings.tries - 1
        self._until = time.monotonic() + settings.retry_seconds
        self._backoff = 0.5

    def wait(self, problem: ModelProblem, error: Exception) -> float | None:
        """Return the seconds to wait before the next try, or None when there is none."""
        quota = "insufficient_quota" in problem.detail
        if self._left <= 0 or problem.reason not in PASSING or quota:
            return None
        asked = asked_wait(error.response.headers) if isinstance(error, APIStatusError) else None
        delay = self._next_backoff() if asked is None else max(SHORTEST, asked)
        if time.monotonic() + delay > self._until:
            return None
        self._left -= 1
        return delay

    def _next_backoff(self) -> float:
        delay = self._backoff * random.uniform(0.75, 1.25)  # noqa: S311 - spread, not secrecy
        self._backoff = min(self._backoff * 2, LONGEST)
        return max(SHORTEST, delay)


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Read how many seconds a service asks to wait; the milliseconds are Azure OpenAI's."""
    try:
        return float(headers["Retry-After-Ms"]) / 1000
    except (KeyError, ValueError):
        return retry_after(headers)
