"""Trying again: which failures may pass, how often, how long, and how far apart."""

from __future__ import annotations

import logging
import math
import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.clock import Clock

T = TypeVar("T")

SHORTEST_WAIT = 0.25
"""Least seconds before another attempt, even where the service asks for none."""
LONGEST_WAIT = 30.0
"""Most seconds of one wait, unless a policy says otherwise."""
THROTTLED = 429
"""HTTP status of a request that was surely not carried out: too many came before it."""
TEMPORARY_STATUSES = frozenset({408, THROTTLED})
"""HTTP statuses below 500 of requests that may succeed later."""

_DOUBLINGS = 60
_MOST_SECONDS = 999_999_999.0
_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)

log = structlog.get_logger()


def is_temporary(status: int) -> bool:
    """Return whether a request that was answered with an HTTP status may succeed later."""
    return status in TEMPORARY_STATUSES or status >= 500


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds from now that `Retry-After` asks for; None without a readable value.

    RFC 9110 §10.2.3 knows whole seconds and HTTP dates; fractions are read too, since services
    send them. A date in the past is 0.
    """
    value = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), _MOST_SECONDS)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    seconds = (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(0.0, seconds), _MOST_SECONDS)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from `first` to `longest` seconds.

    Each is multiplied by a random factor between the two of `jitter`, so that clients that failed
    together do not come back together.
    """

    first: float = 0.5
    longest: float = LONGEST_WAIT
    jitter: tuple[float, float] = (0.5, 1.0)

    def wait(self, number: int) -> float:
        """Return the seconds of a wait, whose number counts from 1."""
        seconds = min(self.longest, self.first * 2.0 ** min(number - 1, _DOUBLINGS))
        return seconds * random.uniform(*self.jitter)  # noqa: S311 - spread, not secrecy


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most `tries` attempts, none begun later than `seconds` after the first.

    A service that asks for a longer wait than `longest_wait` is asked again after that.
    """

    tries: float = math.inf
    seconds: float = math.inf
    backoff: Backoff = Backoff()
    longest_wait: float = LONGEST_WAIT


class RetryBudget:
    """The attempts of one call, the first of which is under way."""

    def __init__(self, policy: RetryPolicy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._end = clock.now() + policy.seconds
        self._attempts = 1
        self._backoffs = 0

    def take(self, requested_wait: float | None = None) -> float | None:
        """Take another attempt and return the seconds to wait before it.

        `requested_wait` are the seconds that the service asks for. Returns None when there are no
        more attempts, or the next one would begin too late.
        """
        wait = self._wait(requested_wait)
        if self._attempts >= self._policy.tries or self._clock.now() + wait > self._end:
            return None
        self._attempts += 1
        return wait

    async def pause(self, requested_wait: float | None = None) -> bool:
        """Wait before another attempt; return False at once when none is left."""
        wait = self.take(requested_wait)
        if wait is None:
            return False
        await self._clock.sleep(wait)
        return True

    def _wait(self, requested_wait: float | None) -> float:
        if requested_wait is None:
            self._backoffs += 1
            return self._policy.backoff.wait(self._backoffs)
        return min(self._policy.longest_wait, max(SHORTEST_WAIT, requested_wait))


class AttemptFailed(Exception):
    """An attempt that failed with a problem, and whether another one may be made.

    `requested_wait` are the seconds that the service asks to wait, if it does.
    """

    def __init__(
        self, problem: Exception, *, retry: bool, requested_wait: float | None = None
    ) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.retry = retry
        self.requested_wait = requested_wait


async def retrying(
    attempt: Callable[[], Awaitable[T]],
    budget: RetryBudget,
    event: str,
    *,
    level: int = logging.INFO,
    **fields: object,
) -> T:
    """Attempt until it works or the budget is used up; raise the problem of the last failure.

    Only `AttemptFailed` is retried. Each is logged as `event`, with the fields and its problem.
    """
    while True:
        try:
            return await attempt()
        except AttemptFailed as failure:
            log.log(level, event, **fields, why=str(failure))
            if not (failure.retry and await budget.pause(failure.requested_wait)):
                raise failure.problem from None
