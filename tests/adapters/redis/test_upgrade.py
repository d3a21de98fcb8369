"""A store that 0.4.0 wrote is read and carried on; `tests/data/SOURCES.md` tells what is in it.

There is no migration. When a test fails here, code of today cannot read what installations hold:
teach the code to read the old form, and leave the data and what is expected of them as they are.
A failure while a message is read, or a message among the dead letters, means that a field of
`Message` or of an address changed; one in `stored_turns` or while a photo or video is read means
the same of a record of the history; wrong settings mean that the fields of a hash are read
otherwise than they were written.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from adapters.page.channel import thread_of
from adapters.page.messages import MessageStore
from adapters.redis import keys
from adapters.redis.history import RedisHistory
from adapters.redis.mailbox import RedisMailbox
from adapters.slack.thread_index import ThreadIndex
from bot.commands.preferences import Preferences
from bot.commands.registry import GRAMMAR
from bot.domain.files import ChosenFrame
from bot.domain.frame_ids import frame_number
from bot.domain.history import Turn, Usage
from bot.domain.outlines import Outline
from bot.domain.preferences import Deployment, PendingSystemMessage, ThreadSettings
from bot.domain.threads import Place, Thread
from bot.ports.mailbox import LANES, AnsweredTurn, Lease, SendRecord, Submission
from tests.data import read_store
from tests.helpers.limits import limits_of

if TYPE_CHECKING:
    from redis.asyncio import Redis

DATA = read_store()
LIMITS = limits_of(retention_days=3650)
TENANT = "72f988bf-0000-4000-8000-0000000000aa"
CHAT = Thread("msteams", TENANT, DATA.where["chat"])
PERSONAL = Thread("msteams", TENANT, DATA.where["personal"])
UNDELIVERED = Thread("msteams", TENANT, DATA.where["undelivered"])
SLACK = Thread("slack-app", "T1", "D1", DATA.where["slack"])
SLACK_WAITING = Thread("slack-app", "T1", "D1", DATA.where["slack_waiting"])
PAGE = thread_of(DATA.where["page"])
DEPLOYMENT = Deployment("Be brief.", ("gpt-4o", "gpt-4o-mini"), {})


@pytest.fixture
async def store(redis_client: Redis) -> Redis:
    """A store as 0.4.0 left it."""
    await DATA.restore(redis_client)
    return redis_client


@pytest.fixture
def history(store: Redis) -> RedisHistory:
    return RedisHistory(store, LIMITS.retention)


@pytest.fixture
def mailbox(store: Redis) -> RedisMailbox:
    return RedisMailbox(store, LIMITS.messages, LIMITS.workers, LIMITS.retention)


async def take(mailbox: RedisMailbox, thread: Thread) -> Lease:
    lease = await mailbox.take(keys.lane_of(thread.key))
    assert isinstance(lease, Lease)
    assert lease.mailbox_key == thread.key
    return lease


async def test_turns_are_read_with_all_that_was_recorded(history: RedisHistory) -> None:
    first, second, third = (await history.past(CHAT)).turns
    car = ((0.1001, 0.1001), (0.5005, 0.1001), (0.5005, 0.6006), (0.1001, 0.6006))
    assert (first.question, first.author) == ("What is this?", "Alex")
    assert first.answer == "A red car [1] with the plate KRW 301."
    assert (first.pictures.photos, first.pictures.singles, first.response.usage) == (
        (1,),
        (1,),
        Usage(2000, 40),
    )
    response = first.response
    assert (response.deployment, response.model, response.finish) == ("gpt-4o", "gpt-4o", "stop")
    assert (response.first, response.seconds) == (9.422, 9.423)
    assert (first.posts.questions, first.posts.answers) == (("1796092412060",), ("1796096012652",))
    assert first.grounding.outlines == (Outline(1, 1, "car", car),)
    (span,) = first.grounding.spans
    assert (span.text, span.offset, span.photo, span.number) == ("car", 6, 1, 1)
    (seen,) = first.evidence.sightings
    assert [line.text for line in seen.sighting.lines] == ["KRW 301"]
    assert [thing.label for thing in seen.sighting.things] == ["car", "tree"]
    assert (second.pictures.photos, second.pictures.videos) == ((2,), (1,))
    assert second.pictures.frames[0] == ChosenFrame(
        frame_number(1, 0.0), "spread", 0.0, "embedding"
    )
    assert [frame.video for frame in second.pictures.frames] == [1, 1, 1]
    assert (third.question, third.author, third.pictures.photos) == (
        "Which colour has the car?",
        "Robin",
        (),
    )


async def test_photos_videos_and_the_last_request_are_read(history: RedisHistory) -> None:
    past = await history.past(CHAT)
    assert [(photo.label, photo.facts.format) for photo in past.photos] == [
        ("P1", "JPEG"),
        ("P2", "PNG"),
    ]
    (video,) = past.videos
    assert (video.label, video.facts.codec, video.facts.seconds) == ("V1 clip.mp4", "h264", 3.0)
    assert (past.next_number, past.next_video) == (3, 2)
    assert past.sightings.keys() == {
        1,
        2,
        *(frame.frame for frame in past.turns[1].pictures.frames),
    }
    assert [message["role"] for message in past.request] == [
        *("system", "user", "assistant", "user", "assistant", "user")
    ]


@pytest.mark.parametrize(
    ("thread", "answer", "photo"),
    [(SLACK, "It is a plate.", "P1 car.jpg"), (PAGE, "A page's answer.", "P1 a.jpg")],
)
async def test_other_channels_are_read_too(
    history: RedisHistory, thread: Thread, answer: str, photo: str
) -> None:
    past = await history.past(thread)
    assert [turn.answer for turn in past.turns] == [answer]
    assert [one.label for one in past.photos] == [photo]


async def test_settings_of_threads_and_places_are_read(history: RedisHistory) -> None:
    pending = PendingSystemMessage("29:alex", "Be brief.", 1796096629.4457293)
    assert await history.settings(CHAT) == ThreadSettings(
        system="Answer like a surveyor.", vision=False, model="gpt-4o-mini", pending=pending
    )
    channel = Place("msteams", TENANT, DATA.where["thread"].partition(";")[0])
    assert await history.settings(channel) == ThreadSettings(watch="photos")
    settled = PendingSystemMessage(
        author="UALEX",
        text="Count things.",
        expires=1796096629.566115,
        settled_by="6c2625c12969b0104a7553900259218e14478f7f:2",
    )
    assert await history.settings(Place("slack-app", "T1", "C1")) == ThreadSettings(
        system="Count things.", vision=False, model="gpt-4o-mini", pending=settled
    )


async def test_settings_of_a_place_are_in_effect_in_its_threads(history: RedisHistory) -> None:
    effective = await Preferences(history, DEPLOYMENT).of(Thread("slack-app", "T1", "C1", "1.2"))
    assert (effective.system, effective.model, effective.vision) == (
        *("Count things.", "gpt-4o-mini"),
        False,
    )
    assert effective.system_origin == "place"


async def test_waiting_messages_are_taken_in_order_and_committed(
    mailbox: RedisMailbox, history: RedisHistory
) -> None:
    first = await take(mailbox, PERSONAL)
    assert [entry.message.text for entry in first.run] == ["Are you there?"]
    assert (first.attempt, first.generation, first.result) == (2, 0, None)
    assert await mailbox.complete(first, answered("1", "Yes."))
    second = await take(mailbox, PERSONAL)
    (entry,) = second.run
    assert (entry.message.text, entry.message.author.name) == ("And what is this?", "Alex")
    assert (entry.before, entry.message.id) == (1, "1796092412074")
    (picture,) = entry.message.attachments
    assert picture.declared == "image/*"
    assert picture.source["credential"] == "bot"
    assert await mailbox.claim(second.mailbox_key, 2, 0, second.token) == SendRecord(
        "1796096012667"
    )
    assert await mailbox.complete(second, answered("2", "A face."))
    assert [turn.answer for turn in (await history.past(PERSONAL)).turns] == ["Yes.", "A face."]
    assert await mailbox.take(second.lane) is None


async def test_a_waiting_message_of_slack_is_taken(mailbox: RedisMailbox) -> None:
    first = await take(mailbox, SLACK_WAITING)
    assert [entry.message.text for entry in first.run] == ["Can you hear me?"]
    assert await mailbox.complete(first, answered("1", "Yes."))
    second = await take(mailbox, SLACK_WAITING)
    assert [entry.message.text for entry in second.run] == ["And now?"]
    assert second.run[0].message.thread == SLACK_WAITING


async def test_an_answer_that_was_not_delivered_is_handed_over(
    mailbox: RedisMailbox, history: RedisHistory
) -> None:
    lease = await take(mailbox, UNDELIVERED)
    assert lease.result is not None
    assert lease.result.parts == ("An answer that was not delivered.",)
    assert lease.result.turn.posts.questions == ("1796092412076",)
    assert await mailbox.claim(lease.mailbox_key, 1, 0, lease.token) == SendRecord("1796096012666")
    assert await mailbox.complete(lease, lease.result)
    past = await history.past(UNDELIVERED)
    assert (past.turns, past.request) == ((lease.result.turn,), lease.result.request)


async def test_what_was_accepted_is_not_accepted_again(mailbox: RedisMailbox) -> None:
    lease = await take(mailbox, SLACK_WAITING)
    receipt = await mailbox.accept(Submission(lease.run[0].message))
    assert (receipt.verdict, receipt.seq) == ("duplicate", 1)


async def test_a_post_is_retracted_with_its_turn_and_its_files(
    mailbox: RedisMailbox, history: RedisHistory
) -> None:
    message = (await take(mailbox, PERSONAL)).run[0].message
    await mailbox.accept(Submission(replace(message, id="new", thread=CHAT)))
    lease = await take(mailbox, CHAT)
    files = DATA.keys[keys.photos(CHAT.key)][1]
    erased = await mailbox.retract(lease, "1796092412061")
    assert set(erased) == {json.loads(files[field])["sha256"] for field in ("2", "V1")}
    past = await history.past(CHAT)
    assert [turn.id for turn in past.turns] == ["1", "3"]
    assert ([photo.number for photo in past.photos], past.videos) == ([1], ())


async def test_every_mailbox_is_emptied(mailbox: RedisMailbox, store: Redis) -> None:
    for lane in range(LANES):
        while isinstance(lease := await mailbox.take(lane), Lease):
            assert await mailbox.complete(lease, lease.result)
    assert await store.keys("loupe:*:slips") == []
    assert await store.keys("loupe:*:dead") == []


async def test_the_page_shows_its_messages(store: Redis) -> None:
    messages = MessageStore(store, 3650 * 24 * 3600)
    changes = await messages.read(DATA.where["page"], 0)
    assert [one["by"] for one in changes.messages] == ["user", "loupe"]
    assert changes.messages[1]["text"] == "A page's answer."


async def test_slack_knows_its_threads(store: Redis) -> None:
    index = ThreadIndex(store, 3650 * 24 * 3600, GRAMMAR)
    assert await index.latest(SLACK.place, "UALEX") == DATA.where["slack_waiting"]
    assert ("C1", "top") in await index.threads("T1")


def answered(identity: str, answer: str) -> AnsweredTurn:
    return AnsweredTurn(Turn(identity, 1.0, "Alex", "?", answer), (answer,))
