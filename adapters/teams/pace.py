"""The documented send rates of one conversation: waiting is better than being throttled."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.retries import Clock

RATES = ((7, 1.0), (8, 2.0), (60, 30.0), (1800, 3600.0))
"""Most sends in so many seconds, for one bot in one conversation:
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
"""
LONGEST = RATES[-1][1]


class Pacer:
    """Gives each send of a conversation its turn, in the order of asking."""

    def __init__(self, clock: Clock, *, most: float) -> None:
        self._clock = clock
        self._most = most
        self._turns: OrderedDict[str, deque[float]] = OrderedDict()

    async def turn(self, conversation: str) -> None:
        """Wait for a free place, `most` seconds at the most; then the service may decide."""
        now = self._clock.now()
        self._forget(now)
        turns = self._turns.setdefault(conversation, deque(maxlen=RATES[-1][0]))
        self._turns.move_to_end(conversation)
        at = min(max(now, *_free(turns)), now + self._most)
        turns.append(at)
        if at > now:
            await self._clock.sleep(at - now)

    def _forget(self, now: float) -> None:
        """Drop conversations that were quiet for the longest window."""
        while self._turns:
            name, turns = next(iter(self._turns.items()))
            if turns and turns[-1] > now - LONGEST:
                return
            del self._turns[name]


def _free(turns: deque[float]) -> list[float]:
    """Tell for each rate when it has room again."""
    return [turns[-most] + window if len(turns) >= most else 0.0 for most, window in RATES]
