"""Documented rates of platforms: waiting for one's turn is better than being throttled."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.clock import Clock

Rate = tuple[int, float]
"""Most requests, in so many seconds."""


LONGEST_HOLD = 3600.0
"""Most seconds that a bucket is held, whatever the platform asks for."""


class RateLimiter:
    """Gives each request of a bucket its turn, in the order of arrival.

    A bucket is what the platform counts together: posts in a conversation, calls of a method.
    Nobody waits more than `longest` seconds: then the request is made, and the platform may refuse
    it. Callers that would rather fail ask for the `delay`, or the rest of the hold, first.
    """

    def __init__(self, clock: Clock, *, longest: float) -> None:
        self._clock = clock
        self._longest = longest
        self._longest_window = 0.0
        self._turns: OrderedDict[str, deque[float]] = OrderedDict()
        self._holds: dict[str, float] = {}

    async def turn(self, bucket: str, rates: Sequence[Rate]) -> None:
        """Take the next turn of a bucket, and wait for it."""
        now = self._clock.now()
        self._longest_window = max([self._longest_window, *(window for _, window in rates)])
        self._forget(now)
        turns = self._turns.setdefault(bucket, deque(maxlen=max([0, *(most for most, _ in rates)])))
        self._turns.move_to_end(bucket)
        at = min(self._free_at(bucket, rates, now), now + self._longest)
        turns.append(at)
        if at > now:
            await self._clock.sleep(at - now)

    def delay(self, bucket: str, rates: Sequence[Rate]) -> float:
        """Return the seconds until the next turn of a bucket; takes none."""
        now = self._clock.now()
        return self._free_at(bucket, rates, now) - now

    def hold(self, bucket: str, seconds: float) -> None:
        """Give a bucket no turn for so long, as the platform asks."""
        until = self._clock.now() + min(seconds, LONGEST_HOLD)
        self._holds[bucket] = max(until, self._holds.get(bucket, until))

    def hold_left(self, bucket: str) -> float:
        """Return the seconds for which a bucket is still held."""
        return max(0.0, self._holds.get(bucket, 0.0) - self._clock.now())

    def _free_at(self, bucket: str, rates: Sequence[Rate], now: float) -> float:
        """Return when the bucket is free by its hold and by each of its rates."""
        turns = self._turns.get(bucket, ())
        window_ends = [turns[-most] + window for most, window in rates if len(turns) >= most]
        return max(now, self._holds.get(bucket, now), *window_ends)

    def _forget(self, now: float) -> None:
        """Drop holds that are over, and buckets that were quiet for the longest window."""
        self._holds = {bucket: until for bucket, until in self._holds.items() if until > now}
        while self._turns:
            bucket, turns = next(iter(self._turns.items()))
            if turns and turns[-1] > now - self._longest_window:
                return
            del self._turns[bucket]
