"""Waiting between tries: exponential, with jitter, as long as the other side asks for."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bot.clock import Clock

logger = structlog.get_logger()

T = TypeVar("T")

FLOOR = 0.25
"""Least seconds before another try, even where the other side asks for none."""
CAP = 30.0
"""Most seconds that one wait may last, whatever the other side asks for."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to go on trying: at most `tries` times, none begun later than `seconds`."""

    tries: int
    seconds: float


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read `Retry-After` (RFC 9110 §10.2.3: seconds or an HTTP date) as seconds from now."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


class Retries:
    """The tries of one call, the first of which is under way."""

    def __init__(self, patience: RetryPolicy, clock: Clock) -> None:
        self._left = patience.tries - 1
        self._end = clock.now() + patience.seconds
        self._clock = clock
        self._backoff = 2 * FLOOR

    async def again(self, asked: float | None = None) -> bool:
        """Wait before the next try; False at once when tries or time are used up."""
        wait = min(CAP, max(FLOOR, self._step() if asked is None else asked))
        if self._left < 1 or self._clock.now() + wait > self._end:
            return False
        self._left -= 1
        await self._clock.sleep(wait)
        return True

    def _step(self) -> float:
        step, self._backoff = self._backoff, min(CAP, 2 * self._backoff)
        return step * random.uniform(0.5, 1.0)  # noqa: S311


class Failed(Exception):
    """A try that failed: with which problem, and whether there may be another one `again`.

    `asked` are the seconds that the other side wants to be left alone for, if it told.
    """

    def __init__(self, problem: Exception, *, again: bool, asked: float | None = None) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.again = again
        self.asked = asked


async def insist(
    attempt: Callable[[], Awaitable[T]], retries: Retries, log: str, **about: str
) -> T:
    """Try until it works or patience ends; raises the problem of the last `Failed`.

    Each failure is logged as the event `log`, with what it is `about`.
    """
    while True:
        try:
            return await attempt()
        except Failed as failed:
            logger.info(log, **about, why=str(failed))
            if not (failed.again and await retries.again(failed.asked)):
                raise failed.problem from None
