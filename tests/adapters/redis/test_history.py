"""Videos that a thread remembers: kept beside its photos, pruned and erased with them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from adapters.redis import keys
from adapters.redis.history import RedisHistory
from adapters.redis.mailbox import RedisMailbox
from bot.domain.files import (
    ChosenFrame,
    Photo,
    PhotoFacts,
    Phrase,
    SpokenPassage,
    Video,
    VideoFacts,
)
from bot.domain.frame_ids import frame_number
from bot.domain.messages import Author, Message
from bot.domain.threads import Thread
from bot.domain.turn_record import TurnRecord, turn_of
from bot.ports.mailbox import AnsweredTurn, CitedFrames, Erase, Lease, Submission
from tests.helpers.limits import limits_of

if TYPE_CHECKING:
    from redis.asyncio import Redis

THREAD = Thread("msteams", "tenant", "19:channel@thread.tacv2", "1")
DAY = 24 * 3600
FACTS = VideoFacts("MP4 video", "h264", 640, 480, 9, 20.0, 29.97, sound=True, longitude=-4.7)
CHOSEN = ChosenFrame(frame_number(1, 12.36), "question", 0.91, "embedding")
HEARD = SpokenPassage(1, 0.0, 21.0, (Phrase("Hello", 1.0, 1.5),))


def video(number: int, at: float = 4e9) -> Video:
    return Video(number, f"{number:064x}", "crash.mp4", FACTS, "Anna", at, "m1")


def photo(number: int, at: float = 4e9) -> Photo:
    return Photo(number, f"{number:064x}", "a.jpg", PhotoFacts("JPEG", 4, 3, 9), "Anna", at)


class Bench:
    """A mailbox and what it leaves in the history."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        limits = limits_of(retention_days=1)
        self.mailbox = RedisMailbox(redis, limits.messages, limits.workers, limits.retention)
        self.history = RedisHistory(redis, limits.retention)
        self._posts = 0

    async def take(self) -> Lease:
        self._posts += 1
        message = Message(f"m{self._posts}", THREAD, Author("a", "Anna"), "What?")
        await self.mailbox.accept(Submission(message))
        lease = await self.mailbox.take(keys.lane_of(THREAD.key))
        assert isinstance(lease, Lease)
        return lease

    async def commit(self, erase: Erase = "nothing", **answered: Any) -> AnsweredTurn:
        """Answer a question and commit the turn."""
        turn = turn_of(
            TurnRecord("1", 5.0, "Anna", "What?", "That.", frames=(CHOSEN,), heard=(HEARD,))
        )
        result = AnsweredTurn(turn, ("That.",), **answered)
        assert await self.mailbox.complete(await self.take(), result, erase)
        return result


@pytest.fixture
def bench(redis_client: Redis) -> Bench:
    return Bench(redis_client)


async def test_videos_are_kept_beside_photos_of_the_same_numbers(bench: Bench) -> None:
    result = await bench.commit(photos=(photo(1),), videos=(video(2), video(1)))
    past = await bench.history.past(THREAD)
    assert past.videos == (video(1), video(2))
    assert past.photos == (photo(1),)
    assert past.turns == (result.turn,)
    assert (past.next_video, past.next_number) == (3, 2)


async def test_videos_are_in_the_order_of_their_numbers(bench: Bench) -> None:
    await bench.commit(videos=tuple(video(number) for number in (10, 9, 2, 1)))
    past = await bench.history.past(THREAD)
    assert [one.number for one in past.videos] == [1, 2, 9, 10]


async def test_a_video_posted_again_is_kept_as_it_is_now(bench: Bench) -> None:
    await bench.commit(videos=(video(1, at=4e9),))
    await bench.commit(videos=(video(1, at=5e9),))
    assert (await bench.history.past(THREAD)).videos == (video(1, at=5e9),)


async def test_a_finished_turn_waits_with_its_videos_and_frames(bench: Bench) -> None:
    lease = await bench.take()
    cited = (CitedFrames(video(1), (CHOSEN.frame,)),)
    turn = turn_of(
        TurnRecord(
            "1", 5.0, "Anna", "What?", "That.", videos=(1,), frames=(CHOSEN,), heard=(HEARD,)
        )
    )
    result = AnsweredTurn(turn, ("That.",), videos=(video(1),), cited_frames=cited)
    assert await bench.mailbox.store_result(lease, result)
    await bench.mailbox.release(lease, 0)
    again = await bench.mailbox.take(lease.lane)
    assert isinstance(again, Lease)
    assert again.result == result


async def test_a_video_past_its_retention_is_not_told(bench: Bench) -> None:
    now = time.time()
    await bench.commit(photos=(photo(1, now - 2 * DAY),), videos=(video(1, now - 2 * DAY),))
    await bench.commit(videos=(video(2, now),))
    past = await bench.history.past(THREAD)
    assert [one.number for one in past.videos] == [2]
    assert past.photos == ()


async def test_the_sweep_removes_videos_past_their_retention(bench: Bench) -> None:
    now = time.time()
    old, new = now - 2 * DAY, now - DAY / 2
    await bench.commit(photos=(photo(1, old), photo(2, new)), videos=(video(1, old), video(2, new)))
    await bench.redis.zadd(keys.aging(keys.lane_of(THREAD.key)), {THREAD.key: old * 1000})
    await bench.mailbox.sweep()
    stored = await bench.redis.hkeys(keys.photos(THREAD.key))
    assert sorted(stored) == ["2", "V2"]


@pytest.mark.parametrize("erase", ["history", "everything"])
async def test_erasing_takes_the_videos_too(bench: Bench, erase: Erase) -> None:
    await bench.commit(photos=(photo(1),), videos=(video(1),))
    assert await bench.mailbox.complete(await bench.take(), erase=erase)
    past = await bench.history.past(THREAD)
    assert (past.videos, past.photos, past.next_video) == ((), (), 1)
    assert await bench.redis.exists(keys.photos(THREAD.key)) == 0
