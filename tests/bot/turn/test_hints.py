"""What people of a place cannot know by themselves, said once below an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from adapters.redis.history import RedisHistory
from bot import strings as texts
from bot.domain.files import Photo, PhotoFacts
from bot.domain.history import ThreadHistory, Turn
from bot.domain.messages import Attachment, Author, Message
from bot.domain.threads import Thread
from bot.limits import RetentionLimits
from bot.turn.hints import Hints, is_new

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from bot.domain.preferences import Watch

FLAT, THREADED = Thread("msteams", "t", "chat"), Thread("slack-app", "T1", "C1", "1.0")
ASKED = Message("2", THREADED, Author("U1"), "what is it?", opening=False)
WATCHED = replace(ASKED, text="", attachments=(Attachment("a.jpg"),), addressed=False)
ANSWERED = Turn("1", 0, "Alex", "what?", "A car.")
NEVER_TOLD = Turn("1", 0, "Alex", "what?", "", status="stopped")
PHOTO = Photo(1, "0" * 64, "a.jpg", PhotoFacts("JPEG", 1, 1, 1), "Alex", 0)


@pytest.fixture
def history(redis_client: Redis) -> RedisHistory:
    return RedisHistory(redis_client, RetentionLimits())


@pytest.mark.parametrize(
    ("message", "past", "new"),
    [
        (ASKED, ThreadHistory(), True),
        (ASKED, ThreadHistory(turns=(ANSWERED,)), False),
        (ASKED, ThreadHistory(turns=(NEVER_TOLD,)), True),
        (ASKED, ThreadHistory(turns=(NEVER_TOLD, ANSWERED)), False),
        (ASKED, ThreadHistory(turns=(ANSWERED, NEVER_TOLD)), False),
        (ASKED, ThreadHistory(photos=(PHOTO,)), True),
        (replace(ASKED, opening=True), ThreadHistory(), False),
        (replace(ASKED, thread=FLAT), ThreadHistory(), False),
        (replace(ASKED, thread=FLAT, opening=True), ThreadHistory(), False),
    ],
)
def test_loupe_is_new_in_a_thread_that_others_began(
    message: Message, past: ThreadHistory, new: bool
) -> None:
    assert is_new(message, past) is new


@pytest.mark.parametrize(
    ("past", "earlier", "said"),
    [
        (ThreadHistory(), False, (texts.EARLIER_POSTS,)),
        (ThreadHistory(), True, ()),
        (ThreadHistory(turns=(ANSWERED,)), False, ()),
    ],
)
async def test_earlier_posts_are_said_to_be_out_of_reach_only_where_they_are(
    history: RedisHistory, past: ThreadHistory, earlier: bool, said: tuple[str, ...]
) -> None:
    assert await Hints(history).of(ASKED, past, earlier=earlier) == said


async def test_how_to_ask_on_is_said_once_in_a_watched_place(history: RedisHistory) -> None:
    hints = Hints(history)
    assert await hints.of(WATCHED, ThreadHistory()) == ()
    await history.change(THREADED.place, watch="photos")
    assert await hints.of(WATCHED, ThreadHistory()) == (texts.ASK_ON,)
    assert await hints.of(WATCHED, ThreadHistory()) == (texts.ASK_ON,), "again after a crash"
    assert await hints.of(replace(WATCHED, id="3"), ThreadHistory()) == ()


async def test_a_lesson_that_was_not_shown_is_left_to_the_next_answer(
    history: RedisHistory,
) -> None:
    hints = Hints(history)
    await history.change(THREADED.place, watch="photos")
    await hints.of(WATCHED, ThreadHistory())
    await hints.unteach(replace(WATCHED, id="3"))
    assert await hints.of(replace(WATCHED, id="3"), ThreadHistory()) == ()
    await hints.unteach(WATCHED)
    assert await hints.of(replace(WATCHED, id="3"), ThreadHistory()) == (texts.ASK_ON,)


@pytest.mark.parametrize(("watch", "reads"), [("off", False), ("photos", False), ("all", True)])
async def test_words_alone_are_for_loupe_where_all_is_watched(
    history: RedisHistory, watch: Watch, reads: bool
) -> None:
    await history.change(THREADED.place, watch=watch)
    assert await Hints(history).reads_words(WATCHED) is reads
    assert await Hints(history).reads_words(ASKED)
