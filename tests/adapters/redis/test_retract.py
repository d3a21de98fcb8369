"""Retracting a post: its turns go, and the files that no other turn uses, at a bounded cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from adapters.redis import keys
from adapters.redis.history import RedisHistory
from adapters.redis.mailbox import RedisMailbox
from bot.domain.files import Photo, PhotoFacts, Video, VideoFacts
from bot.domain.history import Turn, TurnPictures, TurnPosts
from bot.domain.messages import Author, Message
from bot.domain.threads import Thread
from bot.ports.mailbox import AnsweredTurn, Lease, Submission
from tests.helpers.limits import limits_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio import Redis

THREAD = Thread("msteams", "tenant", "19:channel@thread.tacv2", "1")
TURNS = 500

# Put before a script, it counts under a key of the thread's slot what the script decodes.
COUNTING = """
local cjson = {encode = cjson.encode, decode = function(text)
  redis.call('INCR', KEYS[1] .. ':decoded')
  return cjson.decode(text)
end}
"""


class Bench:
    """A mailbox, and the history that it leaves."""

    def __init__(self, redis: Redis) -> None:
        limits = limits_of()
        self.redis = redis
        self.mailbox = RedisMailbox(redis, limits.messages, limits.workers, limits.retention)
        self.history = RedisHistory(redis, limits.retention)

    async def take(self, post: str) -> Lease:
        message = Message(post, THREAD, Author("a", "Anna"), "What?")
        await self.mailbox.accept(Submission(message))
        lease = await self.mailbox.take(keys.lane_of(THREAD.key))
        assert isinstance(lease, Lease)
        return lease

    async def commit(
        self,
        post: str,
        photos: Sequence[Photo] = (),
        videos: Sequence[Video] = (),
        *,
        text: str = "",
        uses: tuple[int, ...] = (),
    ) -> None:
        """Answer a post that brought files, or of which the turn `uses` photos of another."""
        numbers = tuple(photo.number for photo in photos) + uses
        turn = Turn(
            *(post, 5.0, "Anna", text or "What?", text or "That."),
            pictures=TurnPictures(photos=numbers, videos=tuple(video.number for video in videos)),
            posts=TurnPosts(questions=(post,)),
        )
        result = AnsweredTurn(turn, ("That.",), photos=tuple(photos), videos=tuple(videos))
        assert await self.mailbox.complete(await self.take(post), result)

    async def retract(self, post: str) -> set[str]:
        lease = await self.take(f"deletion of {post}")
        erased = set(await self.mailbox.retract(lease, post))
        assert await self.mailbox.complete(lease)
        return erased

    async def left(self) -> tuple[list[str], list[int], list[int]]:
        """The questions' posts, and the numbers of the photos and videos, that are remembered."""
        past = await self.history.past(THREAD)
        return (
            [turn.id for turn in past.turns],
            [photo.number for photo in past.photos],
            [video.number for video in past.videos],
        )


@pytest.fixture
def bench(redis_client: Redis) -> Bench:
    return Bench(redis_client)


def photo(number: int, message: str, digest: int = 0) -> Photo:
    facts = PhotoFacts("JPEG", 4, 3, 9)
    return Photo(number, f"{digest or number:064x}", "a.jpg", facts, "Anna", 4e9, message)


def video(number: int, message: str) -> Video:
    facts = VideoFacts("MP4 video", "h264", 640, 480, 9, 20.0, 29.97)
    return Video(number, f"{1000 + number:064x}", "a.mp4", facts, "Anna", 4e9, message)


async def test_photos_and_videos_of_a_post_go_with_it(bench: Bench) -> None:
    await bench.commit("m1", [photo(1, "m1"), photo(2, "m1")], [video(1, "m1")])
    await bench.commit("m2", [photo(3, "m2")], [video(2, "m2")])
    assert await bench.retract("m1") == {f"{number:064x}" for number in (1, 2, 1001)}
    assert await bench.left() == (["m2"], [3], [2])


async def test_a_photo_that_another_turn_uses_stays(bench: Bench) -> None:
    await bench.commit("m1", [photo(1, "m1"), photo(12, "m1"), photo(2, "m1")])
    await bench.commit("m2", uses=(3, 12))
    assert await bench.retract("m1") == {f"{number:064x}" for number in (1, 2)}
    assert await bench.left() == (["m2"], [12], [])


async def test_a_number_of_a_video_is_not_one_of_a_photo(bench: Bench) -> None:
    await bench.commit("m1", [photo(1, "m1")])
    await bench.commit("m2", [], [video(1, "m2")])
    assert await bench.retract("m1") == {f"{1:064x}"}
    assert await bench.left() == (["m2"], [], [1])


async def test_bytes_that_another_file_has_too_are_not_erased(bench: Bench) -> None:
    await bench.commit("m1", [photo(1, "m1", digest=7)])
    await bench.commit("m2", [photo(2, "m2", digest=7)])
    assert await bench.retract("m1") == set()
    assert await bench.left() == (["m2"], [2], [])


@pytest.mark.parametrize("post", ["1", 'a "quoted" id', "back\\slash", "ü 😀", "1796:x/y", "%d+"])
async def test_any_id_is_found_and_no_other(bench: Bench, post: str) -> None:
    await bench.commit(post, [photo(1, post)])
    await bench.commit("other", [photo(2, "other")], text=json.dumps([post]))
    assert await bench.retract(post) == {f"{1:064x}"}
    assert await bench.left() == (["other"], [2], [])


async def test_words_that_look_like_fields_are_words(bench: Bench) -> None:
    await bench.commit("m1", [photo(1, "m1")])
    await bench.commit("m2", text='"photos": [1], "messages": ["m1"]')
    assert await bench.retract("m1") == {f"{1:064x}"}
    assert await bench.left() == (["m2"], [], [])


async def test_of_a_long_thread_only_the_turns_of_the_post_are_decoded(bench: Bench) -> None:
    await bench.commit("m0", [photo(1, "m0")])
    turns, photos = keys.turns(THREAD.key), keys.photos(THREAD.key)
    ((turn, at),) = await bench.redis.zrange(turns, 0, -1, withscores=True)
    file = await bench.redis.hget(photos, "1")
    assert file is not None
    for number in range(1, TURNS):
        more = json.loads(turn) | {"id": f"m{number}", "messages": [f"m{number}"]}
        more["photos"] = [number + 1]
        await bench.redis.zadd(turns, {json.dumps(more): float(at) + number})
        more = json.loads(file) | {"number": number + 1, "sha256": f"{number + 1:064x}"}
        more["message"] = f"m{number}"
        await bench.redis.hset(photos, str(number + 1), json.dumps(more))
    script = bench.mailbox._scripts._scripts["retract"]
    script._script = bench.redis.register_script(COUNTING + script.source)
    assert await bench.retract("m250") == {f"{251:064x}"}
    assert int(await bench.redis.get(keys.ready(keys.lane_of(THREAD.key)) + ":decoded") or 0) == 3
    posts, numbers, _ = await bench.left()
    assert (len(posts), len(numbers)) == (TURNS - 1, TURNS - 1)
