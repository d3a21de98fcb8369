"""Takes leased threads from the mailbox and sees each through: renewed, stopped, retried."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import structlog

from bot.aio import end
from bot.errors import StoreDown
from bot.ports.channel import DeliveryRefused
from bot.ports.mailbox import LANES, Lease, LeaseLost
from bot.queue.holding import Holding
from bot.retry import Backoff

if TYPE_CHECKING:
    from bot.limits import WorkerLimits
    from bot.ports.mailbox import Mailbox

log = structlog.get_logger()

POLL = 2.0
"""Seconds between looks at a lane that nothing was heard of."""
PAUSE = 0.5
"""Seconds before the next look at a store that was away."""
LONGEST_WAIT = 600.0
"""Most seconds before the next attempt, whatever the platform asks for."""
BACKOFF = Backoff(first=2.0, longest=math.inf, jitter=(0.8, 1.2))
"""Waits between the attempts at a message."""


Handle = Callable[[Holding], Awaitable[None]]
"""Works on a lease to its end, DONE included."""
GiveUp = Callable[[Lease, str], Awaitable[None]]
"""Tells the user that a message is given up, and buries it."""


class Worker:
    """Runs until closed; as many turns at once as the limit allows."""

    def __init__(
        self, mailbox: Mailbox, handle: Handle, give_up: GiveUp, limits: WorkerLimits
    ) -> None:
        self._mailbox = mailbox
        self._handle = handle
        self._give_up = give_up
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.max_turns)
        self._due = dict.fromkeys(range(LANES), 0.0)
        self._wake = asyncio.Event()
        self._held: dict[str, Holding] = {}
        self._stops: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to take work."""
        self._loops = [asyncio.create_task(self._listen()), asyncio.create_task(self._take())]

    async def close(self) -> None:
        """Take nothing more, finish what is under way within the time, hand over the rest."""
        self._closing = True
        await end(*self._loops)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._limits.shutdown_seconds)
        await end(*self._tasks)

    @property
    def alive(self) -> bool:
        """Whether work is taken."""
        return bool(self._loops) and not any(loop.done() for loop in self._loops)

    async def _listen(self) -> None:
        async for news in self._mailbox.news():
            self._due[news.lane] = 0.0
            self._wake.set()
            holding = self._held.get(news.box)
            if holding is not None:
                holding.mail.set()
            working = self._held.get(news.thread)
            if news.stop:
                self._stops[news.thread] = news.stop
                if working is not None:
                    working.stop_up_to(news.stop)
            if news.withdrawn and working is not None:
                working.withdraw(
                    entry.seq
                    for entry in working.lease.run
                    if entry.message.id == news.withdrawn and entry.seq < news.place
                )

    async def _take(self) -> None:
        while True:
            await self._slots.acquire()
            try:
                holding = self._hold(await self._next())
            except BaseException:
                self._slots.release()
                raise
            task = asyncio.create_task(self._see_through(holding))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _next(self) -> Lease:
        clock = asyncio.get_running_loop().time
        while True:
            lane = min(self._due, key=lambda lane: (self._due[lane], random.random()))  # noqa: S311
            wait = self._due[lane] - clock()
            if wait > 0:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._wake.wait()
                continue
            self._stops.clear()
            try:
                found = await self._mailbox.take(lane)
            except StoreDown:
                log.warning("store_down")
                await asyncio.sleep(PAUSE)
                continue
            except Exception:
                log.exception("taking_failed", lane=lane)
                self._due[lane] = clock() + POLL
                continue
            if isinstance(found, Lease):
                return found
            self._due[lane] = clock() + (POLL if found is None else min(found, POLL))

    def _hold(self, lease: Lease) -> Holding:
        """Note what is worked on; a stop may have been heard of while the lease was on its way."""
        holding = Holding(lease)
        holding.stop_up_to(max(lease.stop, self._stops.get(lease.box, 0)))
        holding.withdraw()
        self._held[lease.box] = holding
        return holding

    async def _see_through(self, holding: Holding) -> None:
        lease = holding.lease
        work = asyncio.create_task(self._attempt(holding))
        beat = asyncio.create_task(self._beat(holding, work))
        try:
            await asyncio.wait({work})
        finally:
            work.cancel()
            beat.cancel()
            await asyncio.gather(work, beat, return_exceptions=True)
            if self._held.get(lease.box) is holding:
                del self._held[lease.box]
            self._slots.release()

    async def _beat(self, holding: Holding, work: asyncio.Task[None]) -> None:
        """Renew the lease; when it is lost, end the work, for somebody else has it."""
        while True:
            await asyncio.sleep(self._limits.lease_seconds / 3)
            with contextlib.suppress(StoreDown):
                standing = await self._mailbox.renew(holding.lease)
                if not standing.held:
                    log.warning("lease_lost", box=holding.lease.box[:8])
                    work.cancel()
                    return
                holding.stop_up_to(standing.stop)
                holding.withdraw(standing.withdrawn)

    async def _attempt(self, holding: Holding) -> None:
        lease = holding.lease
        with structlog.contextvars.bound_contextvars(thread=lease.box[:8], place=lease.seq):
            try:
                if lease.attempt > self._limits.max_attempts:
                    await self._give_up(lease, "too many attempts")
                    return
                await self._handle(holding)
            except LeaseLost:
                log.warning("lease_lost")
            except StoreDown:
                log.warning("store_down")
            except asyncio.CancelledError:
                if self._closing:
                    await self._return(lease, 0.0, counts=False)
                raise
            except Exception as error:
                log.exception("attempt_failed", attempt=lease.attempt)
                await self._return(lease, _delay(lease, error), counts=True)

    async def _return(self, lease: Lease, delay: float, *, counts: bool) -> None:
        with contextlib.suppress(StoreDown):
            await self._mailbox.again(lease, delay, counts=counts)


def _delay(lease: Lease, error: Exception) -> float:
    """Return the seconds before the next attempt: at least those that the platform asks for."""
    requested = min(error.after, LONGEST_WAIT) if isinstance(error, DeliveryRefused) else 0.0
    return max(BACKOFF.wait(lease.attempt), requested)
