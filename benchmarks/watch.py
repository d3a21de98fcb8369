"""A watch on the event loop of the process that it runs in."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

SAMPLE_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen since the last look.

    `stalls` are the seconds by which the loop was late, one for each sample; `cpu` is the seconds
    of processor time that the process took.
    """

    stalls: list[float]
    cpu: float


class Watch:
    """Asks the loop to wake it every 5 ms and notes how late that happens."""

    def __init__(self) -> None:
        self._stalls: list[float] = []
        self._cpu = time.process_time()

    async def __aenter__(self) -> Self:
        self._sampling = asyncio.create_task(self._sample())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._sampling.cancel()
        with suppress(asyncio.CancelledError):
            await self._sampling

    def look(self) -> Seen:
        """Return what was seen since the last look."""
        cpu, before = time.process_time(), self._cpu
        stalls, self._stalls, self._cpu = self._stalls, [], cpu
        return Seen(stalls, cpu - before)

    async def _sample(self) -> None:
        while True:
            start = time.perf_counter()
            await asyncio.sleep(SAMPLE_SECONDS)
            self._stalls.append(max(0.0, time.perf_counter() - start - SAMPLE_SECONDS))
