"""Numbered sends: a message is opened once, whatever happens between intent and id."""

from __future__ import annotations

import time

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from adapters.redis.mailbox import RedisMailbox
from bot.domain.messages import Author, Message
from bot.domain.threads import Thread
from bot.limits import MessageLimits, RetentionLimits, WorkerLimits
from bot.ports.channel import ConversationGone, DeliveryUnknown, Post, Stage
from bot.ports.mailbox import Lease, LeaseLost, SendRecord, Submission
from bot.replies.outbox import Outbox
from tests.helpers.fakes import FakeChannel

THREAD = Thread("fake", "t", "c")
OPENING = Post("Looking…", Stage.OPENING, live=True)


@pytest.fixture
def mailbox() -> RedisMailbox:
    redis = FakeAsyncRedis(server=FakeServer(), protocol=2, decode_responses=True)
    return RedisMailbox(redis, MessageLimits(), WorkerLimits(), RetentionLimits())


@pytest.fixture
async def lease(mailbox: RedisMailbox) -> Lease:
    await mailbox.accept(Submission(Message("m1", THREAD, Author("a"), "hello")))
    for lane in range(16):
        if isinstance(lease := await mailbox.take(lane), Lease):
            return lease
    raise AssertionError("nothing to take")


def sends(mailbox: RedisMailbox, lease: Lease, channel: FakeChannel) -> Outbox:
    return Outbox(mailbox, channel, {}, lease.mailbox_key, lease.seq, lease.token)


async def test_a_successor_finds_the_message_that_was_opened(
    mailbox: RedisMailbox, lease: Lease
) -> None:
    channel = FakeChannel()
    first = await sends(mailbox, lease, channel).open(0, OPENING)
    again = await sends(mailbox, lease, channel).open(0, OPENING)
    assert first.id == again.id == "b1"
    assert len(channel.messages) == 1


async def test_what_was_shown_is_handed_to_the_successor(
    mailbox: RedisMailbox, lease: Lease
) -> None:
    channel = FakeChannel()
    first = sends(mailbox, lease, channel)
    await first.open(0, OPENING)
    await first.remember("b1", "A red c")
    assert (await sends(mailbox, lease, channel).open(0, OPENING)).shown == "A red c"


async def test_an_opening_that_may_have_arrived_is_opened_anew(
    mailbox: RedisMailbox, lease: Lease
) -> None:
    channel = FakeChannel()
    channel.faults = [DeliveryUnknown()]
    sent = await sends(mailbox, lease, channel).open(0, OPENING)
    assert sent.id == "b2"
    assert (await sends(mailbox, lease, channel).open(0, OPENING)).id == "b2"


async def test_an_intent_of_a_process_that_died_is_left_behind(
    mailbox: RedisMailbox, lease: Lease
) -> None:
    await mailbox.claim(lease.mailbox_key, lease.seq, 0, lease.token)
    await mailbox.record(lease.mailbox_key, lease.seq, 0, SendRecord(at=time.time() - 60))
    channel = FakeChannel()
    assert (await sends(mailbox, lease, channel).open(0, OPENING)).id == "b1"


async def test_an_opening_that_was_refused_is_forgotten(
    mailbox: RedisMailbox, lease: Lease
) -> None:
    channel = FakeChannel()
    channel.faults = [ConversationGone()]
    with pytest.raises(ConversationGone):
        await sends(mailbox, lease, channel).open(0, OPENING)
    assert await mailbox.claim(lease.mailbox_key, lease.seq, 0, lease.token) is None


async def test_openings_that_never_get_through_end(mailbox: RedisMailbox, lease: Lease) -> None:
    channel = FakeChannel()
    channel.faults = [DeliveryUnknown() for _ in range(100)]
    with pytest.raises(DeliveryUnknown):
        await sends(mailbox, lease, channel).open(0, OPENING)


async def test_parts_have_numbers_of_their_own(mailbox: RedisMailbox, lease: Lease) -> None:
    channel = FakeChannel()
    channel.faults = [DeliveryUnknown(), DeliveryUnknown()]
    numbered = sends(mailbox, lease, channel)
    assert (await numbered.open(0, OPENING)).id == "b3"
    assert (await numbered.open(1, OPENING)).id == "b4"


async def test_what_is_said_once_is_not_said_again(mailbox: RedisMailbox, lease: Lease) -> None:
    channel = FakeChannel(edits=False)
    for _ in range(2):
        await sends(mailbox, lease, channel).say(0, Post("Hello"))
    assert len(channel.messages) == 1


async def test_a_saying_that_may_have_arrived_counts_as_said(
    mailbox: RedisMailbox, lease: Lease
) -> None:
    channel = FakeChannel(edits=False)
    channel.faults = [DeliveryUnknown()]
    for _ in range(2):
        await sends(mailbox, lease, channel).say(0, Post("Hello"))
    assert len(channel.messages) == 1


async def test_nothing_is_sent_without_the_lease(mailbox: RedisMailbox, lease: Lease) -> None:
    channel = FakeChannel()
    await mailbox.complete(lease)
    with pytest.raises(LeaseLost):
        await sends(mailbox, lease, channel).open(0, OPENING)
    assert channel.messages == []
