"""A reply that grows: at the channel's pace, never backwards, in parts when it is long."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from adapters.redis.mailbox import RedisMailbox
from bot import strings as texts
from bot.domain.messages import Author, Message
from bot.domain.threads import Thread
from bot.limits import MessageLimits, RetentionLimits, WorkerLimits
from bot.ports.channel import (
    ConversationGone,
    DeliveryRefused,
    DeliveryUnknown,
    Post,
    Stage,
    StoppedByUser,
)
from bot.ports.mailbox import Lease, Submission
from bot.replies.outbox import Outbox
from bot.replies.streaming import Reply
from tests.helpers.fakes import FakeChannel, FakeClock

if TYPE_CHECKING:
    from bot.clock import Clock
    from bot.domain.messages import Address

THREAD = Thread("fake", "t", "c")


class Bench:
    """A leased message, and replies to it."""

    def __init__(self, **capabilities: Any) -> None:
        redis = FakeAsyncRedis(server=FakeServer(), protocol=2, decode_responses=True)
        self.mailbox = RedisMailbox(redis, MessageLimits(), WorkerLimits(), RetentionLimits())
        self.channel = FakeChannel(**capabilities)
        self.stop = asyncio.Event()
        self.lease: Lease

    async def leased(self) -> Bench:
        await self.mailbox.accept(Submission(Message("m1", THREAD, Author("a"), "hello")))
        for lane in range(16):
            if isinstance(lease := await self.mailbox.take(lane), Lease):
                self.lease = lease
        return self

    def reply(self, clock: Clock | None = None) -> Reply:
        lease = self.lease
        sends = Outbox(self.mailbox, self.channel, {}, lease.mailbox_key, lease.seq, lease.token)
        return Reply(sends, sends.capabilities, self.stop, clock)


async def finish(reply: Reply, text: str) -> None:
    parts = reply.whole(text)
    await reply.finish(parts, Post(parts[-1], live=True, is_generated=True))


async def test_one_message_from_placeholder_to_answer() -> None:
    bench = await Bench().leased()
    reply = bench.reply()
    await reply.open("Looking at 1 photo…")
    reply.progress("Thinking…")
    await bench.channel.until("Thinking…")
    reply.grow("A red")
    await bench.channel.until("A red")
    await finish(reply, "A red car.")
    (message,) = bench.channel.messages
    stages = [post.stage for post in message.posts]
    assert stages == [Stage.OPENING, Stage.PROGRESS, Stage.GROWING, Stage.FINAL]
    assert message.text == "A red car."
    assert reply.message_ids == (message.id,)
    assert message.posts[-1].is_generated


async def test_edits_keep_the_pace_and_show_the_newest() -> None:
    bench = await Bench(pace=0.2).leased()
    reply = bench.reply()
    await reply.open("…")
    text = ""
    for word in ["one", "two", "three", "four", "five", "six"]:
        text += word + " "
        reply.grow(text.rstrip())
        await asyncio.sleep(0.01)
    await finish(reply, text.rstrip())
    assert len(bench.channel.messages[0].posts) <= 3
    assert bench.channel.messages[0].text == "one two three four five six"


async def test_the_clock_that_is_handed_over_paces_the_edits() -> None:
    bench, clock = await Bench(pace=3600).leased(), FakeClock()
    reply = bench.reply(clock)
    await reply.open("…")
    for text in ("A", "A red", "A red car"):
        reply.grow(text)
        await bench.channel.until(text)
    await finish(reply, "A red car.")
    assert bench.channel.messages[0].growing == ["A", "A red", "A red car", "A red car."]
    assert set(clock.waits) == {3600}
    assert len(clock.waits) >= 3


async def test_an_answer_within_the_first_pace_is_shown_at_once() -> None:
    bench = await Bench(pace=3600).leased()
    reply = bench.reply()
    await reply.open("…")
    reply.progress("Thinking…")
    reply.grow("A red")
    async with asyncio.timeout(30):
        await finish(reply, "A red car.")
    (message,) = bench.channel.messages
    assert [post.text for post in message.posts] == ["…", "A red car."]


async def test_a_part_that_stands_as_it_will_is_not_sent_again() -> None:
    bench = await Bench(text_limit=12).leased()
    reply = bench.reply()
    await reply.open("…")
    text = "A red car.\n\nA blue van.\n\nA bus."
    reply.grow(text)
    await bench.channel.until("A bus.")
    await finish(reply, text)
    finals = [[p.text for p in m.posts if p.stage is Stage.FINAL] for m in bench.channel.messages]
    assert finals == [["A red car."], ["A blue van."], ["A bus."]]


async def test_progress_never_replaces_text_of_the_answer() -> None:
    bench = await Bench().leased()
    reply = bench.reply()
    await reply.open("…")
    reply.grow("A red")
    reply.progress("Looking…")
    await bench.channel.until("A red")
    await finish(reply, "A red car.")
    assert bench.channel.messages[0].growing == ["A red", "A red car."]


async def test_a_long_answer_goes_on_in_further_messages() -> None:
    bench = await Bench(text_limit=40).leased()
    reply = bench.reply()
    await reply.open("…")
    long = "First paragraph, thirty letters.\n\nSecond paragraph, also long.\n\nThird one."
    for end in range(1, len(long), 5):
        reply.grow(long[:end].rstrip())
        await asyncio.sleep(0.015)
    await finish(reply, long)
    shown = [message.text for message in bench.channel.messages]
    assert len(shown) == 3
    assert [text.strip() for text in shown] == long.split("\n\n")
    for message in bench.channel.messages:
        texts_shown = message.growing
        assert all(b.startswith(a) for a, b in itertools.pairwise(texts_shown))
    assert len(reply.message_ids) == 3


async def test_a_successor_keeps_what_was_shown_and_says_so_once() -> None:
    bench = await Bench().leased()
    first = bench.reply()
    await first.open("…")
    first.grow("A red c")
    await bench.channel.until("A red c")
    await first.close()
    second = bench.reply()
    await second.open("…")
    second.grow("It is a red car")
    await bench.channel.until("It is a red car")
    await finish(second, "It is a red car.")
    (message,) = bench.channel.messages
    assert message.text == f"A red c\n\n{texts.RESUME_NOTICE}\n\nIt is a red car."
    grown = message.growing
    assert all(b.startswith(a) for a, b in itertools.pairwise(grown))


@pytest.mark.parametrize("fault", [DeliveryUnknown, DeliveryRefused])
async def test_edits_that_fail_do_not_end_the_answer(fault: type[Exception]) -> None:
    bench = await Bench().leased()
    reply = bench.reply()
    await reply.open("…")
    bench.channel.faults = [fault(), fault()]
    for text in ("A", "A red", "A red car"):
        reply.grow(text)
        await bench.channel.until(text)
    await finish(reply, "A red car.")
    assert bench.channel.messages[0].text == "A red car."


async def test_a_further_message_that_is_refused_is_opened_with_the_next_words() -> None:
    bench = await Bench(text_limit=40).leased()
    reply = bench.reply()
    await reply.open("…")
    first, more = "First paragraph, thirty letters.", "Second paragraph"
    reply.grow(first)
    await bench.channel.until(first)
    post, refusals = bench.channel.post, [DeliveryRefused("busy")]

    async def refusing(address: Address, shown: Post) -> str:
        if refusals:
            raise refusals.pop()
        return await post(address, shown)

    bench.channel.post = refusing  # type: ignore[method-assign]
    for end in (8, 12, len(more)):
        reply.grow(f"{first}\n\n{more[:end]}")
        await asyncio.sleep(0.02)
    await bench.channel.until(more)
    await finish(reply, f"{first}\n\n{more}.")
    assert [message.text.strip() for message in bench.channel.messages] == [first, f"{more}."]


async def test_a_final_edit_that_fails_is_raised_for_another_attempt() -> None:
    bench = await Bench().leased()
    reply = bench.reply()
    await reply.open("…")
    bench.channel.faults = [DeliveryUnknown()]
    with pytest.raises(DeliveryUnknown):
        await finish(reply, "A red car.")


async def test_the_platforms_own_stop_sets_the_stop() -> None:
    bench = await Bench().leased()
    reply = bench.reply()
    await reply.open("…")
    bench.channel.faults = [StoppedByUser()]
    reply.grow("A red")
    async with asyncio.timeout(5):
        await bench.stop.wait()
    await finish(reply, "A red\n\n*Stopped.*")
    assert bench.channel.messages[0].text == "A red\n\n*Stopped.*"


async def test_a_conversation_that_is_gone_is_told_at_the_opening() -> None:
    bench = await Bench().leased()
    bench.channel.faults = [ConversationGone()]
    with pytest.raises(ConversationGone):
        await bench.reply().open("…")


async def test_without_edits_only_the_answer_is_posted() -> None:
    bench = await Bench(edits=False, text_limit=40).leased()
    reply = bench.reply()
    await reply.open("…")
    reply.grow("A red")
    await finish(reply, "First paragraph, thirty letters.\n\nSecond paragraph.")
    assert [m.text.strip() for m in bench.channel.messages] == [
        "First paragraph, thirty letters.",
        "Second paragraph.",
    ]
    again = bench.reply()
    await finish(again, "First paragraph, thirty letters.\n\nSecond paragraph.")
    assert len(bench.channel.messages) == 2


async def test_closing_ends_the_showing() -> None:
    bench = await Bench().leased()
    reply = bench.reply()
    await reply.open("…")
    reply.grow("A")
    await bench.channel.until("A")
    await reply.close()
    reply.grow("A red")
    await asyncio.sleep(0.05)
    assert bench.channel.messages[0].text == "A"
