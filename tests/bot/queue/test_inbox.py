"""The front door: what is accepted and how it waits, and what is dropped unread."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from adapters.redis.history import RedisHistory
from bot.commands.registry import GRAMMAR
from bot.domain.messages import Attachment, Author, Kind, Message
from bot.domain.threads import Thread
from bot.errors import Reason, StoreDown
from bot.limits import MessageLimits, RetentionLimits
from bot.ports.mailbox import Receipt, Submission
from bot.queue.inbox import Inbox

if TYPE_CHECKING:
    from bot.domain.preferences import Watch

THREAD = Thread("msteams", "tenant", "19:channel", "1")
POST = Message("m1", THREAD, Author("a", "Anna"), "What is it?")
PHOTO = Attachment("a.jpg")
HIDDEN = Attachment(problem=Reason.HTML_ONLY)


class Bench:
    """An inbox on a mailbox that records, and says of every letter what the test wants."""

    def __init__(self) -> None:
        redis = FakeAsyncRedis(server=FakeServer(), protocol=2, decode_responses=True)
        mailbox: Any = self
        self.history = RedisHistory(redis, RetentionLimits())
        self.verdict: Literal["accepted", "duplicate", "full"] = "accepted"
        self.letters: list[Submission] = []
        self.noticed: list[Message] = []
        self.inbox = Inbox(
            mailbox, self.history, GRAMMAR, self._notice, MessageLimits(max_question=100)
        )

    async def accept(self, letter: Submission) -> Receipt:
        self.letters.append(letter)
        return Receipt(self.verdict, len(self.letters))

    async def _notice(self, message: Message, receipt: Receipt) -> None:
        self.noticed.append(message)

    async def receive(self, **changes: Any) -> list[Submission]:
        """Receive a post; returns all letters so far."""
        await self.inbox.receive(replace(POST, **changes))
        return self.letters

    async def watch(self, mode: Watch) -> None:
        await self.history.change(THREAD.place, watch=mode)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("What is it?", {}),
        ("/json", {"express": True, "joins": False}),
        ("!help", {"express": True, "joins": False}),
        ("/stop", {"express": True, "stops": True, "joins": False}),
        ("/reset", {"stops": True, "joins": False}),
        ("/forget", {"stops": True, "joins": False}),
        ("/vision on", {"joins": False}),
        ("/forget that", {"joins": False}),
    ],
)
async def test_words_take_their_place_and_some_commands_overtake(
    bench: Bench, text: str, how: dict[str, bool]
) -> None:
    assert await bench.receive(text=text) == [Submission(replace(POST, text=text), **how)]


async def test_an_edit_to_a_command_comes_after_what_it_takes_back(bench: Bench) -> None:
    letters = await bench.receive(text="/json", version="v2")
    assert letters == [Submission(replace(POST, text="/json", version="v2"), joins=False)]
    *_, stop = await bench.receive(text="/stop", version="v2")
    assert (stop.express, stop.stops) == (True, True)


async def test_what_erases_all_ends_what_waits_and_comes_after_it(bench: Bench) -> None:
    (letter,) = await bench.receive(kind="uninstalled", text="")
    assert (letter.stops, letter.express, letter.joins) == (True, False, False)


async def test_a_picture_without_words_waits_for_company(bench: Bench) -> None:
    alone, asked = {"text": " ", "attachments": (PHOTO,)}, {"attachments": (PHOTO,)}
    await bench.receive(**alone)
    first, second = await bench.receive(**asked)
    assert (first.gathers, second.gathers, second.joins) == (True, False, True)


@pytest.mark.parametrize("kind", ["installed", "channel"])
async def test_the_channels_own_events_overtake(bench: Bench, kind: Kind) -> None:
    (letter,) = await bench.receive(kind=kind, text="/forget")
    assert (letter.express, letter.stops, letter.joins) == (True, False, False)


async def test_who_waits_is_noticed_and_who_overtakes_is_not(bench: Bench) -> None:
    for text in ("What is it?", "/vision on", "/json", "/stop", "/forget"):
        await bench.receive(text=text)
    assert [message.text for message in bench.noticed] == ["What is it?", "/vision on"]


async def test_a_duplicate_is_not_noticed_again(bench: Bench) -> None:
    bench.verdict = "duplicate"
    assert len(await bench.receive()) == 1
    assert bench.noticed == []


async def test_who_finds_no_room_is_told_durably(bench: Bench) -> None:
    bench.verdict = "full"
    refused, told = await bench.receive(attachments=(PHOTO,))
    assert refused.message.kind == "message"
    assert told == Submission(
        replace(POST, kind="full", text="", attachments=()), express=True, joins=False
    )
    assert told.message.dedup != refused.message.dedup


async def test_a_store_that_is_away_is_told_to_the_platform(bench: Bench) -> None:
    class Away:
        async def accept(self, letter: Submission) -> Receipt:
            raise StoreDown("away")

    away: Any = Away()
    with pytest.raises(StoreDown):
        await Inbox(away, bench.history, GRAMMAR, bench._notice, MessageLimits()).receive(POST)


async def test_a_text_is_bounded_and_whole_characters(bench: Bench) -> None:
    (letter,) = await bench.receive(text="\ud83d" + "x" * 200)
    assert letter.message.text == "?" + "x" * 99
    assert letter.message.shortened
    assert not (await bench.receive(text="x" * 100))[-1].message.shortened


@pytest.mark.parametrize(
    ("watch", "post", "accepted"),
    [
        ("off", {}, False),
        ("off", {"attachments": (PHOTO,)}, False),
        ("photos", {}, False),
        ("photos", {"attachments": (PHOTO,)}, True),
        ("photos", {"attachments": (PHOTO,), "text": ""}, True),
        ("all", {}, True),
        ("all", {"attachments": (PHOTO,), "text": ""}, True),
        ("all", {"text": ""}, False),
        ("off", {"text": "/watch photos"}, True),
        ("off", {"text": "/watch photo"}, True),
        ("off", {"text": "/etc/passwd is shown"}, False),
        ("off", {"text": "/wotch photos"}, False),
    ],
)
async def test_what_is_not_addressed_is_dropped_unless_the_place_is_watched(
    bench: Bench, watch: Watch, post: dict[str, Any], accepted: bool
) -> None:
    await bench.watch(watch)
    assert bool(await bench.receive(addressed=False, **post)) is accepted


async def test_a_picture_out_of_reach_is_worth_one_sentence_a_day(bench: Bench) -> None:
    await bench.watch("photos")
    for identity in ("m1", "m2"):
        await bench.receive(id=identity, text="", addressed=False, attachments=(HIDDEN,))
    assert [letter.message.id for letter in bench.letters] == ["m1"]
    await bench.receive(id="m3", text="", addressed=False, attachments=(HIDDEN, PHOTO))
    await bench.receive(id="m4", text="", attachments=(HIDDEN,))
    assert [letter.message.id for letter in bench.letters] == ["m1", "m3", "m4"]


async def test_where_all_is_read_words_beside_such_a_picture_are_too(bench: Bench) -> None:
    await bench.watch("all")
    for identity in ("m1", "m2"):
        await bench.receive(id=identity, addressed=False, attachments=(HIDDEN,))
    assert [letter.message.attachments for letter in bench.letters] == [(HIDDEN,), ()]
