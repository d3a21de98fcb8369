"""The lobby: who waits is told how many are before, and who does not is left alone."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from adapters.redis.keys import lane_of
from adapters.redis.mailbox import RedisMailbox
from bot import strings as texts
from bot.domain.messages import Author, Message
from bot.domain.threads import Thread
from bot.limits import MessageLimits, RetentionLimits, WorkerLimits
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown, Post, Stage
from bot.ports.mailbox import Lease, Submission
from bot.queue.waiting_notice import WaitingNotices
from bot.replies.outbox import Outbox
from tests.helpers.fakes import FakeChannel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

THREAD = Thread("fake", "t", "c")
POST = Message("m1", THREAD, Author("a"), "What is it?")
SOON = MessageLimits(notice_seconds=0.02)


class Bench:
    """A lobby before a mailbox in which nobody works yet."""

    def __init__(self, **capabilities: Any) -> None:
        redis = FakeAsyncRedis(server=FakeServer(), protocol=2, decode_responses=True)
        self.mailbox = RedisMailbox(redis, SOON, WorkerLimits(), RetentionLimits())
        self.channel = FakeChannel(**capabilities)
        self.lobby = WaitingNotices(self.mailbox, {"fake": self.channel}, SOON)

    async def come(self, identity: str) -> None:
        message = replace(POST, id=identity)
        await self.lobby.notice(message, await self.mailbox.accept(Submission(message)))

    async def lease(self) -> Lease:
        lease = await self.mailbox.take(lane_of(THREAD.key))
        assert isinstance(lease, Lease)
        return lease

    @property
    def shown(self) -> list[str]:
        return [message.text for message in self.channel.messages]

    async def settled(self) -> None:
        """Wait until nobody is watched over any more."""
        async with asyncio.timeout(5):
            while self.lobby._tasks:
                await asyncio.gather(*self.lobby._tasks)


@asynccontextmanager
async def opened(**capabilities: Any) -> AsyncIterator[Bench]:
    bench = Bench(**capabilities)
    try:
        yield bench
    finally:
        await bench.lobby.close()


async def test_who_waits_is_told_how_many_are_before() -> None:
    async with opened() as bench:
        for identity in ("m1", "m2", "m3"):
            await bench.come(identity)
        await bench.settled()
        assert set(bench.shown) == {
            texts.waiting_notice(0),
            texts.waiting_notice(1),
            texts.waiting_notice(2),
        }
        assert {m.posts[0].stage for m in bench.channel.messages} == {Stage.OPENING}


async def test_what_was_told_becomes_the_answer() -> None:
    async with opened() as bench:
        await bench.come("m1")
        await bench.settled()
        lease = await bench.lease()
        sends = Outbox(bench.mailbox, bench.channel, {}, lease.mailbox_key, lease.seq, lease.token)
        sent = await sends.open(0, Post(texts.THINKING, Stage.OPENING))
        assert [message.id for message in bench.channel.messages] == [sent.id]


async def test_whose_turn_has_come_hears_nothing() -> None:
    async with opened() as bench:
        await bench.come("m1")
        await bench.come("m2")
        await bench.lease()
        await bench.settled()
        assert bench.shown == [texts.waiting_notice(1)]


async def test_who_was_answered_meanwhile_hears_nothing() -> None:
    async with opened() as bench:
        await bench.come("m1")
        await bench.mailbox.complete(await bench.lease())
        await bench.settled()
        assert bench.shown == []


async def test_where_nothing_can_be_edited_nobody_is_told() -> None:
    async with opened(edits=False) as bench:
        await bench.come("m1")
        await bench.settled()
        assert bench.shown == []


@pytest.mark.parametrize("fault", [ConversationGone(), DeliveryRefused(), DeliveryUnknown()])
async def test_a_notice_that_fails_is_nobodys_trouble(fault: Exception) -> None:
    async with opened() as bench:
        bench.channel.faults = [fault] * 10
        await bench.come("m1")
        await bench.settled()


async def test_closing_ends_the_watch() -> None:
    async with opened() as bench:
        await bench.come("m1")
        await bench.lobby.close()
        assert bench.shown == []
