"""What people of a place cannot know by themselves, said once below an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from adapters.redis.history import RedisHistory
from bot import texts
from bot.hints import Hints, is_new
from bot.history import Past, Photo, PhotoFacts, Turn
from bot.messages import Attachment, Author, Message
from bot.settings import Limits
from bot.threads import Thread

if TYPE_CHECKING:
    from redis.asyncio import Redis

FLAT, THREADED = Thread("msteams", "t", "chat"), Thread("slack-app", "T1", "C1", "1.0")
ASKED = Message("2", THREADED, Author("U1"), "what is it?", opening=False)
WATCHED = replace(ASKED, text="", attachments=(Attachment("a.jpg"),), addressed=False)
ANSWERED = Turn("1", 0, "Alex", "what?", "A car.")
NEVER_TOLD = Turn("1", 0, "Alex", "what?", "", status="stopped")
PHOTO = Photo(1, "0" * 64, "a.jpg", PhotoFacts("JPEG", 1, 1, 1), "Alex", 0)


@pytest.fixture
def history(redis_client: Redis) -> RedisHistory:
    return RedisHistory(redis_client, Limits())


@pytest.mark.parametrize(
    ("message", "past", "new"),
    [
        (ASKED, Past(), True),
        (ASKED, Past(turns=(ANSWERED,)), False),
        (ASKED, Past(turns=(NEVER_TOLD,)), True),
        (ASKED, Past(turns=(NEVER_TOLD, ANSWERED)), False),
        (ASKED, Past(turns=(ANSWERED, NEVER_TOLD)), False),
        (ASKED, Past(photos=(PHOTO,)), True),
        (replace(ASKED, opening=True), Past(), False),
        (replace(ASKED, thread=FLAT), Past(), False),
        (replace(ASKED, thread=FLAT, opening=True), Past(), False),
    ],
)
def test_loupe_is_new_in_a_thread_that_others_began(
    message: Message, past: Past, new: bool
) -> None:
    assert is_new(message, past) is new


@pytest.mark.parametrize(
    ("past", "earlier", "said"),
    [
        (Past(), False, (texts.EARLIER_POSTS,)),
        (Past(), True, ()),
        (Past(turns=(ANSWERED,)), False, ()),
    ],
)
async def test_earlier_posts_are_said_to_be_out_of_reach_only_where_they_are(
    history: RedisHistory, past: Past, earlier: bool, said: tuple[str, ...]
) -> None:
    assert await Hints(history).of(ASKED, past, earlier=earlier) == said


async def test_how_to_ask_on_is_said_once_in_a_watched_place(history: RedisHistory) -> None:
    hints = Hints(history)
    assert await hints.of(WATCHED, Past()) == ()
    await history.set(THREADED.place, "watch", "photos")
    assert await hints.of(WATCHED, Past()) == (texts.ASK_ON,)
    assert await hints.of(WATCHED, Past()) == (texts.ASK_ON,), "again after a crash"
    assert await hints.of(replace(WATCHED, id="3"), Past()) == ()


async def test_a_lesson_that_was_not_shown_is_left_to_the_next_answer(
    history: RedisHistory,
) -> None:
    hints = Hints(history)
    await history.set(THREADED.place, "watch", "photos")
    await hints.of(WATCHED, Past())
    await hints.unteach(replace(WATCHED, id="3"))
    assert await hints.of(replace(WATCHED, id="3"), Past()) == ()
    await hints.unteach(WATCHED)
    assert await hints.of(replace(WATCHED, id="3"), Past()) == (texts.ASK_ON,)


@pytest.mark.parametrize(("watch", "reads"), [("off", False), ("photos", False), ("all", True)])
async def test_words_alone_are_for_loupe_where_all_is_watched(
    history: RedisHistory, watch: str, reads: bool
) -> None:
    await history.set(THREADED.place, "watch", watch)
    assert await Hints(history).reads_words(WATCHED) is reads
    assert await Hints(history).reads_words(ASKED)
