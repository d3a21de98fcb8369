"""The worker: renews, stops, retries, gives up, and hands over."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fakeredis import FakeAsyncRedis, FakeServer

from adapters.redis.keys import lane_of
from adapters.redis.mailbox import RedisMailbox
from bot.domain.messages import Author, Message
from bot.domain.threads import Thread
from bot.ports.channel import DeliveryRefused
from bot.ports.mailbox import Lease, Submission
from bot.queue.holding import Holding
from bot.queue.worker import Worker
from tests.helpers.limits import limits_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import pytest

THREAD = Thread("fake", "t", "c")


def letter(identity: str, thread: Thread = THREAD, **more: Any) -> Submission:
    return Submission(Message(identity, thread, Author("a"), identity), **more)


class Bench:
    """A store, and workers whose work is given by the test."""

    def __init__(self, **changes: Any) -> None:
        self.server = FakeServer()
        self.limits = limits_of(**{"lease_seconds": 1, "shutdown_seconds": 0.2, **changes})
        self.mailbox = self.connect()
        self.seen: list[str] = []
        self.given_up: list[str] = []

    def connect(self) -> RedisMailbox:
        redis = FakeAsyncRedis(server=self.server, protocol=2, decode_responses=True)
        return RedisMailbox(redis, self.limits.messages, self.limits.workers, self.limits.retention)

    @asynccontextmanager
    async def worker(self, handle: Callable[[Holding], Awaitable[None]]) -> AsyncIterator[Worker]:
        async def give_up(lease: Lease, why: str) -> None:
            self.given_up.append(lease.run[0].message.id)
            await self.mailbox.move_to_dead_letters(lease, why)

        worker = Worker(self.connect(), handle, give_up, self.limits.workers)
        worker.start()
        try:
            yield worker
        finally:
            await worker.close()

    async def note(self, holding: Holding) -> None:
        self.seen.append(holding.lease.run[0].message.id)
        await self.mailbox.complete(holding.lease)

    async def until(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)


async def test_messages_of_a_thread_are_seen_in_order() -> None:
    bench = Bench()
    async with bench.worker(bench.note):
        for number in range(20):
            await bench.mailbox.accept(letter(f"m{number}"))
        await bench.until(lambda: len(bench.seen) == 20)
    assert bench.seen == [f"m{number}" for number in range(20)]


def edited(identity: str) -> Submission:
    return Submission(replace(letter(identity).message, version="2", text="anew"))


async def test_an_edit_stops_the_answer_to_what_stood_there() -> None:
    bench = Bench()
    begun = asyncio.Event()
    left: list[int] = []

    async def handle(holding: Holding) -> None:
        begun.set()
        if holding.lease.run[0].message.version == "":
            await holding.stop.wait()
        left.append(len(holding.remaining))
        await bench.note(holding)

    async with bench.worker(handle):
        await bench.mailbox.accept(letter("m1"))
        await begun.wait()
        await bench.mailbox.accept(edited("m1"))
        await bench.until(lambda: len(left) == 2)
    assert left == [0, 1]


async def test_an_edit_that_nobody_told_of_is_heard_of_with_the_next_beat() -> None:
    bench = Bench(lease_seconds=1)
    holding = Holding(await _leased(bench, letter("m1")))
    await bench.mailbox.accept(edited("m1"))
    standing = await bench.mailbox.renew(holding.lease)
    holding.withdraw(standing.withdrawn_places)
    assert holding.stop.is_set()
    assert holding.remaining == []


async def test_what_was_edited_while_it_waited_is_stopped_when_it_is_taken() -> None:
    bench = Bench()
    await bench.mailbox.accept(letter("m1"))
    await bench.mailbox.accept(edited("m1"))
    stopped: list[bool] = []

    async def handle(holding: Holding) -> None:
        stopped.append(holding.stop.is_set())
        await bench.note(holding)

    async with bench.worker(handle):
        await bench.until(lambda: len(stopped) == 2)
    assert stopped == [True, False]


async def _leased(bench: Bench, posted: Submission) -> Lease:
    await bench.mailbox.accept(posted)
    lease = await bench.mailbox.take(lane_of(THREAD.key))
    assert isinstance(lease, Lease)
    return lease


async def test_threads_do_not_wait_for_each_other() -> None:
    bench = Bench()
    gate = asyncio.Event()

    async def handle(holding: Holding) -> None:
        if holding.lease.run[0].message.id == "slow":
            await gate.wait()
        await bench.note(holding)

    async with bench.worker(handle):
        await bench.mailbox.accept(letter("slow"))
        await bench.mailbox.accept(letter("fast", replace(THREAD, root="2")))
        await bench.until(lambda: bench.seen == ["fast"])
        gate.set()
        await bench.until(lambda: bench.seen == ["fast", "slow"])


async def test_no_more_turns_at_once_than_the_limit() -> None:
    bench = Bench(max_turns=2)
    running, most = 0, 0

    async def handle(holding: Holding) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        await bench.note(holding)

    async with bench.worker(handle):
        for number in range(8):
            await bench.mailbox.accept(letter(f"m{number}", replace(THREAD, root=str(number))))
        await bench.until(lambda: len(bench.seen) == 8)
    assert most == 2


async def test_a_long_turn_keeps_its_lease() -> None:
    bench = Bench()
    attempts: list[int] = []

    async def handle(holding: Holding) -> None:
        attempts.append(holding.lease.attempt)
        await asyncio.sleep(2.2)
        await bench.note(holding)

    async with bench.worker(handle), bench.worker(handle):
        await bench.mailbox.accept(letter("m1"))
        await bench.until(lambda: bench.seen == ["m1"])
    assert attempts == [1]


async def test_a_stop_reaches_the_running_turn_within_a_second() -> None:
    bench = Bench(lease_seconds=60)
    stopped: list[float] = []
    begun = asyncio.Event()

    async def handle(holding: Holding) -> None:
        if not holding.lease.run[0].message.id.startswith("m"):
            return await bench.note(holding)
        begun.set()
        clock = asyncio.get_running_loop().time
        await holding.stop.wait()
        stopped.append(clock())
        return await bench.note(holding)

    async with bench.worker(handle):
        await bench.mailbox.accept(letter("m1"))
        async with asyncio.timeout(5):
            await begun.wait()
        at = asyncio.get_running_loop().time()
        await bench.mailbox.accept(letter("s", express=True, stops=True))
        await bench.until(lambda: sorted(bench.seen) == ["m1", "s"])
    assert stopped[0] - at < 1


async def test_a_stop_given_to_one_replica_reaches_another() -> None:
    bench = Bench(lease_seconds=60)
    begun = asyncio.Event()

    async def handle(holding: Holding) -> None:
        begun.set()
        await holding.stop.wait()
        await bench.note(holding)

    async with bench.worker(handle):
        await bench.mailbox.accept(letter("m1"))
        async with asyncio.timeout(5):
            await begun.wait()
        await bench.connect().accept(letter("s", express=True, stops=True))
        await bench.until(lambda: "m1" in bench.seen)


class LateMailbox(RedisMailbox):
    """Somebody says stop while the lease of a message is on its way to who took it."""

    async def take(self, lane: int) -> Lease | float | None:
        found = await super().take(lane)
        if isinstance(found, Lease) and not found.mailbox_key.endswith("!"):
            await self.accept(letter("s", express=True, stops=True))
            await asyncio.sleep(0.1)
        return found


async def test_a_stop_is_not_lost_while_the_lease_is_on_its_way() -> None:
    bench = Bench(lease_seconds=60)
    redis = FakeAsyncRedis(server=bench.server, protocol=2, decode_responses=True)
    attempts: list[int] = []

    async def handle(holding: Holding) -> None:
        if holding.lease.run[0].message.id == "m1":
            async with asyncio.timeout(5):
                await holding.stop.wait()
            attempts.append(holding.lease.attempt)
        await bench.note(holding)

    limits = bench.limits
    mailbox = LateMailbox(redis, limits.messages, limits.workers, limits.retention)
    worker = Worker(mailbox, handle, bench.mailbox.move_to_dead_letters, limits.workers)
    worker.start()
    await bench.mailbox.accept(letter("m1"))
    await bench.until(lambda: sorted(bench.seen) == ["m1", "s"])
    await worker.close()
    assert attempts == [1]


async def test_a_failure_is_tried_again_and_at_last_given_up() -> None:
    bench = Bench(max_attempts=1)

    async def handle(holding: Holding) -> None:
        if holding.lease.run[0].message.id == "bad":
            raise ValueError("nobody foresaw this")
        await bench.note(holding)

    async with bench.worker(handle):
        await bench.mailbox.accept(letter("bad"))
        await bench.mailbox.accept(letter("good"))
        await bench.until(lambda: bench.seen == ["good"])
    assert bench.given_up == ["bad"]


async def test_a_lost_lease_ends_the_work() -> None:
    bench = Bench()
    ended = asyncio.Event()

    async def handle(holding: Holding) -> None:
        await bench.mailbox.release(holding.lease, 60)
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async with bench.worker(handle):
        await bench.mailbox.accept(letter("m1"))
        async with asyncio.timeout(5):
            await ended.wait()


async def test_closing_hands_over_what_is_not_finished_without_counting_it() -> None:
    bench = Bench(lease_seconds=60)
    begun = asyncio.Event()

    async def hang(holding: Holding) -> None:
        begun.set()
        await asyncio.sleep(60)

    async with bench.worker(hang):
        await bench.mailbox.accept(letter("m1"))
        async with asyncio.timeout(5):
            await begun.wait()
    attempts: list[int] = []

    async def handle(holding: Holding) -> None:
        attempts.append(holding.lease.attempt)
        await bench.note(holding)

    async with bench.worker(handle):
        await bench.until(lambda: bench.seen == ["m1"])
    assert attempts == [1]


async def test_closing_lets_a_short_turn_finish() -> None:
    bench = Bench(shutdown_seconds=5)
    begun = asyncio.Event()

    async def handle(holding: Holding) -> None:
        begun.set()
        await asyncio.sleep(0.2)
        await bench.note(holding)

    async with bench.worker(handle):
        await bench.mailbox.accept(letter("m1"))
        async with asyncio.timeout(5):
            await begun.wait()
    assert bench.seen == ["m1"]


async def test_a_burst_is_told_to_whoever_holds_it() -> None:
    bench = Bench(lease_seconds=60, burst_seconds=30, burst_max_seconds=60)
    runs: list[int] = []

    async def handle(holding: Holding) -> None:
        await holding.mail.wait()
        lease = await bench.mailbox.gather(holding.lease)
        assert lease is not None
        runs.append(len(lease.run))
        await bench.mailbox.complete(lease)

    async with bench.worker(handle):
        number = 0
        async with asyncio.timeout(10):
            while not runs:
                number += 1
                await bench.mailbox.accept(letter(f"p{number}", gathers=True))
                await asyncio.sleep(0.05)
    assert runs[0] >= 2


async def test_what_cannot_be_read_does_not_stop_the_worker() -> None:
    bench = Bench()
    redis = FakeAsyncRedis(server=bench.server, protocol=2, decode_responses=True)
    await bench.mailbox.accept(letter("poison"))
    (key,) = await redis.keys("*:mail")
    await redis.hset(key, "1", "no message")
    await bench.mailbox.accept(letter("good"))
    async with bench.worker(bench.note) as worker:
        await bench.until(lambda: bench.seen == ["good"])
        assert worker.alive
    assert await redis.llen(f"loupe:{{{lane_of(THREAD.key)}}}:dead") == 1


async def test_closing_at_once_ends() -> None:
    bench = Bench()
    for turns in range(20):
        async with asyncio.timeout(10), bench.worker(bench.note):
            for _ in range(turns):
                await asyncio.sleep(0)


async def test_a_platform_is_left_alone_for_as_long_as_it_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench, delays = Bench(), []
    busy = DeliveryRefused("429")
    busy.after = 77.0

    async def handle(holding: Holding) -> None:
        raise busy

    async def release(lease: Lease, delay: float, *, counts: bool = True) -> bool:
        delays.append(delay)
        return await bench.mailbox.complete(lease)

    monkeypatch.setattr(RedisMailbox, "release", lambda _, *args, **how: release(*args, **how))
    async with bench.worker(handle):
        await bench.mailbox.accept(letter("m1"))
        await bench.until(lambda: bool(delays))
    assert delays == [77.0]
