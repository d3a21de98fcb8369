"""Messages that grow, on paper that records what is put on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from adapters.chat.growing_message import GrowingMessages
from adapters.chat.streaming import Stream, StreamEnded, Streams
from bot.ports.channel import (
    ConversationGone,
    DeliveryRefused,
    DeliveryUnknown,
    Post,
    Stage,
    StoppedByUser,
)
from bot.ports.mailbox import NO_ID
from tests.helpers.fakes import FakeClock

if TYPE_CHECKING:
    from bot.domain.messages import Address

HERE: Address = {"chat": "a"}
OPENING = Post("Looking…", Stage.OPENING, live=True)
END = Post("a red car.", live=True)


def growing(text: str) -> Post:
    return Post(text, Stage.GROWING, live=True)


class Never(DeliveryRefused):
    """That message can never be edited."""


@dataclass
class Recording:
    """Paper and wire in one: `done` is what was asked of either.

    `faults` are raised by the next requests, in order.
    """

    can_edit: bool = True
    can_stream: bool = False
    late: float = 0.0
    single: bool = True
    done: list[tuple[str, ...]] = field(default_factory=list)
    faults: list[Exception | None] = field(default_factory=list)

    def edits(self, address: Address) -> bool:
        return self.can_edit

    def streams(self, address: Address) -> bool:
        return self.can_stream

    def behind(self, address: Address) -> float:
        return self.late

    async def say(self, address: Address, post: Post) -> str:
        self._do("say", post.text)
        return f"m{len(self.done)}"

    async def change(self, address: Address, message_id: str, post: Post, *, brief: bool) -> None:
        self._do("brief" if brief else "change", message_id, post.text)

    async def hint(self, address: Address | Stream, post: Post | None = None) -> None:
        self._do("hint")

    def lost(self, refusal: DeliveryRefused) -> bool:
        return isinstance(refusal, Never)

    def chat(self, address: Address) -> tuple[str, ...]:
        return (address["chat"],)

    def text(self, post: Post) -> str:
        return post.text.strip("#")

    async def open(self, stream: Stream, post: Post) -> str:
        self._do("open", post.text)
        return "s"

    async def grow(self, stream: Stream, text: str) -> None:
        self._do("grow", text)

    async def close(self, stream: Stream, post: Post | None) -> None:
        self._do("close", post.text if post else "")

    def _do(self, *what: str) -> None:
        self.done.append(what)
        if self.faults and (fault := self.faults.pop(0)):
            raise fault


def made(recording: Recording, clock: FakeClock | None = None) -> GrowingMessages:
    clock = clock or FakeClock()
    return GrowingMessages(recording, Streams(recording, 100, clock), clock)


async def test_where_there_are_streams_a_live_message_is_one() -> None:
    room = Recording(can_stream=True)
    growth = made(room)
    message_id = await growth.post(HERE, OPENING)
    await growth.edit(HERE, message_id, growing("a red"))
    await growth.edit(HERE, message_id, END)
    assert room.done == [("open", "Looking…"), ("grow", "a red"), ("close", "a red car.")]


@pytest.mark.parametrize("post", [END, Post("Waiting…", Stage.OPENING)])
async def test_what_will_not_grow_is_no_stream(post: Post) -> None:
    room = Recording(can_stream=True)
    assert await made(room).post(HERE, post) == "m1"
    assert room.done == [("say", post.text)]


async def test_a_chat_whose_stream_is_taken_gets_a_message() -> None:
    room = Recording(can_stream=True)
    growth = made(room)
    await growth.post(HERE, OPENING)
    await growth.post(HERE, OPENING)
    assert room.done == [("open", "Looking…"), ("say", "Looking…")]


@pytest.mark.parametrize(
    "fault", [DeliveryRefused("no"), StreamEnded("no"), ConversationGone("no")]
)
async def test_where_a_stream_is_refused_a_message_stands(fault: Exception) -> None:
    room = Recording(can_stream=True, faults=[fault])
    growth = made(room)
    message_id = await growth.post(HERE, OPENING)
    await growth.edit(HERE, message_id, END)
    assert room.done[1:] == [("say", "Looking…"), ("change", message_id, "a red car.")]


async def test_a_stream_that_may_have_opened_is_unclear() -> None:
    room = Recording(can_stream=True, faults=[DeliveryUnknown()])
    with pytest.raises(DeliveryUnknown):
        await made(room).post(HERE, OPENING)
    assert len(room.done) == 1


async def test_without_streams_a_message_is_edited() -> None:
    room = Recording()
    growth = made(room)
    message_id = await growth.post(HERE, OPENING)
    await growth.edit(HERE, message_id, growing("a red"))
    await growth.edit(HERE, message_id, END)
    assert room.done == [
        ("say", "Looking…"),
        ("brief", "m1", "a red"),
        ("change", "m1", "a red car."),
    ]


async def test_plain_edits_wait_as_long_as_they_are_behind() -> None:
    clock, room = FakeClock(), Recording(late=0.75)
    growth = made(room, clock)
    await growth.edit(HERE, "1", growing("a"))
    assert clock.waits == [0.75]
    await growth.edit(HERE, "1", END)
    await growth.edit(HERE, "1", growing("#"))
    assert clock.waits == [0.75]


async def test_nothing_is_changed_while_there_is_nothing_to_read() -> None:
    room = Recording()
    await made(room).edit(HERE, "1", growing("##"))
    assert room.done == []


async def test_where_nothing_can_be_edited_typing_stands_for_the_placeholder() -> None:
    room = Recording(can_edit=False, can_stream=True)
    growth = made(room)
    assert await growth.post(HERE, OPENING) == ""
    await growth.edit(HERE, "", growing("a"))
    await growth.edit(HERE, "", END)
    await growth.post(HERE, END)
    assert room.done == [("hint",), ("say", "a red car."), ("say", "a red car.")]


@pytest.mark.parametrize("message_id", ["", NO_ID])
async def test_a_message_without_an_id_gets_its_end_anew(message_id: str) -> None:
    room = Recording()
    growth = made(room)
    await growth.edit(HERE, message_id, growing("a"))
    await growth.edit(HERE, message_id, END)
    assert room.done == [("say", "a red car.")]


@pytest.mark.parametrize("fault", [DeliveryUnknown(), DeliveryRefused()])
async def test_typing_and_progress_that_are_lost_do_no_harm(fault: Exception) -> None:
    room = Recording(can_edit=False, faults=[fault])
    assert await made(room).post(HERE, OPENING) == ""
    room = Recording(faults=[fault])
    await made(room).edit(HERE, "1", growing("a"))
    assert len(room.done) == 1


async def test_a_conversation_that_is_gone_is_told() -> None:
    with pytest.raises(ConversationGone):
        await made(Recording(can_edit=False, faults=[ConversationGone()])).post(HERE, OPENING)
    for post in (growing("a"), END):
        with pytest.raises(ConversationGone):
            await made(Recording(faults=[ConversationGone()])).edit(HERE, "1", post)


async def test_the_end_of_a_message_that_can_never_be_edited_is_posted_anew() -> None:
    room = Recording(faults=[Never("403")])
    await made(room).edit(HERE, "1", END)
    assert room.done == [("change", "1", "a red car."), ("say", "a red car.")]


@pytest.mark.parametrize("fault", [DeliveryUnknown(), DeliveryRefused("429")])
async def test_an_end_that_may_still_be_shown_is_not_posted_anew(fault: Exception) -> None:
    room = Recording(faults=[fault])
    with pytest.raises(type(fault)):
        await made(room).edit(HERE, "1", END)
    assert len(room.done) == 1


async def test_an_end_that_the_stream_did_not_take_is_an_edit() -> None:
    room = Recording(can_stream=True, faults=[None, DeliveryUnknown()])
    growth = made(room)
    message_id = await growth.post(HERE, OPENING)
    await growth.edit(HERE, message_id, END)
    assert room.done[1:] == [("close", "a red car."), ("change", "s", "a red car.")]


async def test_the_users_stop_is_told() -> None:
    stop = StreamEnded()
    stop.is_cancelled = True
    room = Recording(can_stream=True, faults=[None, stop])
    growth = made(room)
    message_id = await growth.post(HERE, OPENING)
    with pytest.raises(StoppedByUser):
        await growth.edit(HERE, message_id, growing("a"))
