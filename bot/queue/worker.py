"""Takes leases from the mailbox and works on each: renews it, stops it, tries again."""

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
"""Seconds between two looks at a lane without events."""
PAUSE = 0.5
"""Seconds before the next attempt to reach a store that was down."""
LONGEST_WAIT = 600.0
"""Most seconds before the next attempt, however long the platform wants to wait."""
BACKOFF = Backoff(first=2.0, longest=math.inf, jitter=(0.8, 1.2))
"""Waits between the attempts at a message."""

Handle = Callable[[Holding], Awaitable[None]]
"""Works on a lease to its end, DONE included."""
GiveUp = Callable[[Lease, str], Awaitable[None]]
"""Tells the user that a message is given up, and moves it to the dead letters."""


class Worker:
    """Works until it is closed, on as many turns at once as the limit allows."""

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
        self._holdings: dict[str, Holding] = {}
        self._stops: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to take work."""
        self._loops = [asyncio.create_task(self._listen()), asyncio.create_task(self._take())]

    async def close(self) -> None:
        """Take no more leases, finish what ends in time, and give the rest back."""
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
        async for event in self._mailbox.events():
            self._due[event.lane] = 0.0
            self._wake.set()
            holding = self._holdings.get(event.mailbox_key)
            if holding is not None:
                holding.mail.set()
            thread_holding = self._holdings.get(event.thread)
            if event.stop:
                self._stops[event.thread] = event.stop
                if thread_holding is not None:
                    thread_holding.stop_up_to(event.stop)
            if event.withdrawn_id and thread_holding is not None:
                thread_holding.withdraw(
                    entry.seq
                    for entry in thread_holding.lease.run
                    if entry.message.id == event.withdrawn_id and entry.seq < event.place
                )

    async def _take(self) -> None:
        while True:
            await self._slots.acquire()
            try:
                holding = self._hold(await self._next())
            except BaseException:
                self._slots.release()
                raise
            task = asyncio.create_task(self._work_on(holding))
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
                result = await self._mailbox.take(lane)
            except StoreDown:
                log.warning("store_down")
                await asyncio.sleep(PAUSE)
                continue
            except Exception:
                log.exception("taking_failed", lane=lane)
                self._due[lane] = clock() + POLL
                continue
            if isinstance(result, Lease):
                return result
            self._due[lane] = clock() + (POLL if result is None else min(result, POLL))

    def _hold(self, lease: Lease) -> Holding:
        """Register a lease; its stop may have arrived before the lease itself."""
        holding = Holding(lease)
        holding.stop_up_to(max(lease.stop, self._stops.get(lease.mailbox_key, 0)))
        holding.withdraw()
        self._holdings[lease.mailbox_key] = holding
        return holding

    async def _work_on(self, holding: Holding) -> None:
        lease = holding.lease
        work = asyncio.create_task(self._attempt(holding))
        renewal = asyncio.create_task(self._renew(holding, work))
        try:
            await asyncio.wait({work})
        finally:
            work.cancel()
            renewal.cancel()
            await asyncio.gather(work, renewal, return_exceptions=True)
            if self._holdings.get(lease.mailbox_key) is holding:
                del self._holdings[lease.mailbox_key]
            self._slots.release()

    async def _renew(self, holding: Holding, work: asyncio.Task[None]) -> None:
        """Renew the lease; once it is lost, cancel the work, since another worker has it."""
        while True:
            await asyncio.sleep(self._limits.lease_seconds / 3)
            with contextlib.suppress(StoreDown):
                status = await self._mailbox.renew(holding.lease)
                if not status.is_held:
                    log.warning("lease_lost", box=holding.lease.mailbox_key[:8])
                    work.cancel()
                    return
                holding.stop_up_to(status.stop)
                holding.withdraw(status.withdrawn_places)

    async def _attempt(self, holding: Holding) -> None:
        lease = holding.lease
        with structlog.contextvars.bound_contextvars(thread=lease.mailbox_key[:8], place=lease.seq):
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
            await self._mailbox.release(lease, delay, counts=counts)


def _delay(lease: Lease, error: Exception) -> float:
    """Return the seconds before the next attempt: at least those that the platform asks for."""
    retry_after = min(error.after, LONGEST_WAIT) if isinstance(error, DeliveryRefused) else 0.0
    return max(BACKOFF.wait(lease.attempt), retry_after)
