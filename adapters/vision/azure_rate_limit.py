"""The rate of a service's tier: waiting for a turn is better than being throttled."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from bot.errors import VisionProblem, VisionReason

if TYPE_CHECKING:
    from bot.clock import Clock


class WindowRateLimiter:
    """Gives each request its turn, in the order of asking: `most` within any `seconds`."""

    def __init__(self, most: int, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._turns: deque[float] = deque(maxlen=most)
        self._held = 0.0

    async def turn(self, longest: float) -> None:
        """Wait for a turn; raises `VisionProblem` (`BUSY`) at once if that takes too long."""
        now = self._clock.now()
        at = max(now, self._held, self._free())
        if at > now + longest:
            raise VisionProblem(VisionReason.BUSY, f"no turn within {longest:g} s")
        self._turns.append(at)
        if at > now:
            await self._clock.sleep(at - now)

    def hold(self, seconds: float) -> None:
        """Give no turn for some seconds, as the service asks."""
        self._held = max(self._held, self._clock.now() + seconds)

    def _free(self) -> float:
        full = len(self._turns) == self._turns.maxlen
        return self._turns[0] + self._seconds if full else 0.0
