"""Documented send rates: waiting for one's turn is better than being throttled."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.clock import Clock

Rate = tuple[int, float]
"""Most sends, in so many seconds."""


LONGEST = 3600.0
"""Most seconds that a line is held, whatever the platform asks for."""


class RateLimiter:
    """Gives each send of a line its turn, in the order of asking.

    A line is what the platform counts by: a conversation, a method of an app. Nobody waits more
    than `most` seconds; then the platform may decide. Who keeps to what it asked for itself looks
    at `held` first.
    """

    def __init__(self, clock: Clock, *, most: float) -> None:
        self._clock = clock
        self._most = most
        self._longest = 0.0
        self._turns: OrderedDict[str, deque[float]] = OrderedDict()
        self._held: dict[str, float] = {}

    async def turn(self, line: str, rates: Sequence[Rate]) -> None:
        """Wait for a free place in a line, and take it."""
        now = self._clock.now()
        self._longest = max([self._longest, *(window for _, window in rates)])
        self._forget(now)
        turns = self._turns.setdefault(line, deque(maxlen=max([0, *(most for most, _ in rates)])))
        self._turns.move_to_end(line)
        at = min(self._free(line, rates, now), now + self._most)
        turns.append(at)
        if at > now:
            await self._clock.sleep(at - now)

    def room(self, line: str, rates: Sequence[Rate]) -> bool:
        """Tell whether a turn would come at once; takes none."""
        now = self._clock.now()
        return self._free(line, rates, now) <= now

    def hold(self, line: str, seconds: float) -> None:
        """Give no turn for so long: the platform asked for it."""
        until = self._clock.now() + min(seconds, LONGEST)
        self._held[line] = max(until, self._held.get(line, until))

    def held(self, line: str) -> float:
        """Tell for how many seconds more a line is held."""
        return max(0.0, self._held.get(line, 0.0) - self._clock.now())

    def _free(self, line: str, rates: Sequence[Rate], now: float) -> float:
        """Tell when the line and each of its rates have room again."""
        turns = self._turns.get(line, ())
        full = [turns[-most] + window for most, window in rates if len(turns) >= most]
        return max(now, self._held.get(line, now), *full)

    def _forget(self, now: float) -> None:
        """Drop what was held, and lines that were quiet for the longest window."""
        self._held = {line: until for line, until in self._held.items() if until > now}
        while self._turns:
            line, turns = next(iter(self._turns.items()))
            if turns and turns[-1] > now - self._longest:
                return
            del self._turns[line]
