"""Streams over a wire that records what goes through it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from adapters.chat.streaming import FORGET_SECONDS, Stream, StreamEnded, Streams, StreamState
from bot.ports.channel import (
    ConversationGone,
    DeliveryRefused,
    DeliveryUnknown,
    Post,
    Stage,
    StoppedByUser,
)
from tests.helpers.fakes import FakeClock

if TYPE_CHECKING:
    from bot.domain.messages import Address

CHAT: Address = {"chat": "a"}
SECONDS = 100.0


class Cancelled(StreamEnded):
    is_cancelled = True


class Late(StreamEnded):
    is_late = True


def opening(text: str = "Looking…") -> Post:
    return Post(text, Stage.OPENING, live=True)


def progress(text: str) -> Post:
    return Post(text, Stage.PROGRESS, live=True)


def growing(text: str) -> Post:
    return Post(text, Stage.GROWING, live=True)


@dataclass
class RecordingWire:
    """Carries everything; `faults` are raised by the next requests, in order."""

    single: bool = True
    sent: list[tuple[str, str]] = field(default_factory=list)
    states: list[StreamState] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)
    faults: list[BaseException | None] = field(default_factory=list)
    unshown: set[str] = field(default_factory=set)

    def chat(self, address: Address) -> tuple[str, ...]:
        return (address["chat"],)

    def text(self, post: Post) -> str:
        return "" if post.text in self.unshown else post.text.upper()

    async def open(self, stream: Stream, post: Post) -> str:
        self._send(stream, "open", post.text)
        return str(len(self.sent))

    async def hint(self, stream: Stream, post: Post) -> None:
        self._send(stream, "hint", post.text)

    async def grow(self, stream: Stream, text: str) -> None:
        assert text.startswith(stream.text)
        self._send(stream, "grow", text.removeprefix(stream.text))

    async def close(self, stream: Stream, post: Post | None) -> None:
        self._send(stream, "close", "" if post is None else post.text)

    def _send(self, stream: Stream, step: str, text: str) -> None:
        self.sent.append((step, text))
        self.states.append(stream.state)
        self.sequences.append(stream.sequence)
        if self.faults and (fault := self.faults.pop(0)):
            raise fault


@pytest.fixture
def wire() -> RecordingWire:
    return RecordingWire()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def streams(wire: RecordingWire, clock: FakeClock) -> Streams:
    return Streams(wire, SECONDS, clock)


async def test_a_stream_from_the_first_word_to_the_last(
    wire: RecordingWire, streams: Streams
) -> None:
    sent = await streams.open(CHAT, opening())
    for post in (
        progress("Looking (1)"),
        growing("a red"),
        growing("a red car"),
        Post("a red car."),
    ):
        assert await streams.show(CHAT, sent, post)
    assert wire.sent == [
        ("open", "Looking…"),
        ("hint", "Looking (1)"),
        ("grow", "A RED"),
        ("grow", " CAR"),
        ("close", "a red car."),
    ]
    assert wire.sequences == [1, 2, 3, 4, 4]
    assert set(wire.states) == {StreamState.RUNNING}
    assert not await streams.show(CHAT, sent, Post("a red car again."))


async def test_a_message_that_is_no_stream_is_edited(streams: Streams) -> None:
    await streams.open(CHAT, opening())
    assert not await streams.show(CHAT, "another", growing("a"))
    assert not await streams.show({"chat": "b"}, "1", growing("a"))


async def test_what_does_not_grow_is_not_sent(wire: RecordingWire, streams: Streams) -> None:
    sent = await streams.open(CHAT, opening())
    for post in (growing("a red"), growing("a red"), growing("a blue"), progress("Looking (2)")):
        assert await streams.show(CHAT, sent, post)
    assert wire.sent[1:] == [("grow", "A RED")]


async def test_an_end_that_is_no_growth_closes_with_what_is_shown(
    wire: RecordingWire, streams: Streams
) -> None:
    sent = await streams.open(CHAT, opening())
    await streams.show(CHAT, sent, growing("a red"))
    assert not await streams.show(CHAT, sent, Post("it failed"))
    assert wire.sent[-1] == ("close", "")
    assert wire.states[-1] is StreamState.RUNNING


async def test_an_end_without_growth_may_be_anything(wire: RecordingWire, streams: Streams) -> None:
    sent = await streams.open(CHAT, opening())
    assert await streams.show(CHAT, sent, Post("it failed"))
    assert wire.sent[-1] == ("close", "it failed")


@pytest.mark.parametrize("before", ["", "a red"])
async def test_an_end_that_a_stream_cannot_show_is_edited_too(
    wire: RecordingWire, streams: Streams, before: str
) -> None:
    wire.unshown.add("a card")
    sent = await streams.open(CHAT, opening())
    await streams.show(CHAT, sent, growing(before))
    assert not await streams.show(CHAT, sent, Post("a card"))
    assert wire.sent[-1] == ("close", "" if before else "a card")


async def test_a_stream_is_closed_before_its_time_is_over(
    wire: RecordingWire, streams: Streams, clock: FakeClock
) -> None:
    sent = await streams.open(CHAT, opening())
    await streams.show(CHAT, sent, growing("a"))
    clock.time += SECONDS + 1
    for post in (growing("a b"), growing("a b c"), Post("a b c.")):
        assert not await streams.show(CHAT, sent, post)
    assert wire.sent[1:] == [("grow", "A"), ("close", "")]
    assert wire.states[-1] is StreamState.OVER


async def test_a_stream_without_words_closes_with_what_it_should_show_now(
    wire: RecordingWire, streams: Streams, clock: FakeClock
) -> None:
    sent = await streams.open(CHAT, opening())
    clock.time += SECONDS + 1
    assert not await streams.show(CHAT, sent, progress("Still looking"))
    assert wire.sent[1:] == [("close", "Still looking")]


async def test_a_stream_that_cannot_be_closed_goes_on_by_edits(
    wire: RecordingWire, streams: Streams, clock: FakeClock
) -> None:
    sent = await streams.open(CHAT, opening())
    clock.time += SECONDS + 1
    wire.faults = [DeliveryUnknown()]
    assert not await streams.show(CHAT, sent, growing("a"))
    assert streams.free(CHAT)
    assert not await streams.show(CHAT, sent, Post("a."))
    assert len(wire.sent) == 2


async def test_what_was_refused_stands_in_the_next_chunk(
    wire: RecordingWire, streams: Streams
) -> None:
    sent = await streams.open(CHAT, opening())
    wire.faults = [None, DeliveryRefused(), DeliveryRefused(), Late()]
    for text in ("a", "a b", "a b", "a b c", "a b c d"):
        assert await streams.show(CHAT, sent, growing(text))
    assert wire.sent[1:] == [
        ("grow", "A"),
        ("grow", " B"),
        ("grow", " B"),
        ("grow", " B C"),
        ("grow", " B C D"),
    ]


@pytest.mark.parametrize("fault", [DeliveryUnknown(), asyncio.CancelledError()])
async def test_what_may_have_been_seen_stands(
    wire: RecordingWire, streams: Streams, fault: BaseException
) -> None:
    sent = await streams.open(CHAT, opening())
    wire.faults = [fault]
    try:
        await streams.show(CHAT, sent, growing("a b"))
    except asyncio.CancelledError:
        assert isinstance(fault, asyncio.CancelledError)
    assert await streams.show(CHAT, sent, growing("a b c"))
    assert not await streams.show(CHAT, sent, Post("a"))
    assert wire.sent[1:] == [("grow", "A B"), ("grow", " C"), ("close", "")]


async def test_the_end_of_a_stream_goes_on_by_edits(wire: RecordingWire, streams: Streams) -> None:
    sent = await streams.open(CHAT, opening())
    wire.faults = [StreamEnded()]
    for post in (growing("a"), growing("a b"), Post("a b.")):
        assert not await streams.show(CHAT, sent, post)
    assert wire.sent[1:] == [("grow", "A")]


@pytest.mark.parametrize("fault", [DeliveryUnknown(), DeliveryRefused(), StreamEnded(), Late()])
async def test_a_last_chunk_that_is_lost_is_edited(
    wire: RecordingWire, streams: Streams, fault: Exception
) -> None:
    sent = await streams.open(CHAT, opening())
    wire.faults = [fault]
    assert not await streams.show(CHAT, sent, Post("a."))
    assert streams.free(CHAT)


async def test_the_users_stop_ends_the_answer(wire: RecordingWire, streams: Streams) -> None:
    sent = await streams.open(CHAT, opening())
    wire.faults = [None, Cancelled()]
    await streams.show(CHAT, sent, growing("a"))
    with pytest.raises(StoppedByUser):
        await streams.show(CHAT, sent, growing("a b"))
    assert streams.free(CHAT)
    with pytest.raises(StoppedByUser):
        await streams.show(CHAT, sent, growing("a b c"))
    assert await streams.show(CHAT, sent, Post("a\n\n*Stopped.*", is_stopped=True))
    assert len(wire.sent) == 3


@pytest.mark.parametrize("stopped", [False, True])
async def test_the_users_stop_meets_the_end(
    wire: RecordingWire, streams: Streams, stopped: bool
) -> None:
    sent = await streams.open(CHAT, opening())
    wire.faults = [Cancelled()]
    if stopped:
        assert await streams.show(CHAT, sent, Post("a", is_stopped=True))
    else:
        with pytest.raises(StoppedByUser):
            await streams.show(CHAT, sent, Post("a"))
    assert streams.free(CHAT)


@pytest.mark.parametrize(
    "fault", [DeliveryUnknown(), DeliveryRefused(), ConversationGone(), asyncio.CancelledError()]
)
async def test_a_stream_that_did_not_open_leaves_the_chat_free(
    wire: RecordingWire, streams: Streams, fault: BaseException
) -> None:
    wire.faults = [fault]
    with pytest.raises(type(fault)):
        await streams.open(CHAT, opening())
    assert streams.free(CHAT)


async def test_a_chat_has_one_stream_until_it_ends(streams: Streams, clock: FakeClock) -> None:
    assert streams.free(CHAT)
    sent = await streams.open(CHAT, opening())
    assert not streams.free(CHAT)
    assert streams.free({"chat": "b"})
    await streams.show(CHAT, sent, Post("a"))
    assert streams.free(CHAT)
    await streams.open(CHAT, opening())
    clock.time += SECONDS + 1
    assert streams.free(CHAT)


async def test_where_streams_are_not_single_a_chat_has_many(clock: FakeClock) -> None:
    wire = RecordingWire(single=False)
    streams = Streams(wire, SECONDS, clock)
    first = await streams.open(CHAT, opening())
    assert streams.free(CHAT)
    second = await streams.open(CHAT, opening())
    for sent, text in ((first, "a"), (second, "b"), (first, "a c")):
        assert await streams.show(CHAT, sent, growing(text))
    assert wire.sent[2:] == [("grow", "A"), ("grow", "B"), ("grow", " C")]


async def test_what_nobody_finished_is_forgotten(streams: Streams, clock: FakeClock) -> None:
    sent = await streams.open(CHAT, opening())
    clock.time += FORGET_SECONDS + 1
    await streams.open({"chat": "b"}, opening())
    assert not await streams.show(CHAT, sent, Post("a"))
    assert streams.free(CHAT)


def test_the_text_is_that_of_the_wire(streams: Streams) -> None:
    assert streams.text(Post("a")) == "A"
