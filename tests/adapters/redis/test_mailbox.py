"""The inbox: accepted once, in order, leased, fenced, done once; on every store we run on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from adapters.redis.history import RedisHistory
from adapters.redis.keys import lane_of
from adapters.redis.mailbox import RedisMailbox
from bot.domain.files import Photo, PhotoFacts
from bot.domain.history import Turn
from bot.domain.messages import Attachment, Author, Message
from bot.domain.preferences import ThreadSettings
from bot.domain.threads import Thread
from bot.domain.turn_record import TurnRecord, turn_of
from bot.limits import RetentionLimits
from bot.ports.mailbox import LANES, AnsweredTurn, Lease, LeaseLost, SendRecord, Submission
from tests.helpers.limits import limits_of

if TYPE_CHECKING:
    from redis.asyncio import Redis


THREAD = Thread("msteams", "tenant", "19:channel@thread.tacv2", "1")
ANNA = Author("29:anna", "Anna")
BEN = Author("29:ben", "Ben")


def mailbox_on(redis: Redis, **changes: Any) -> RedisMailbox:
    brief = {"lease_seconds": 1, "burst_seconds": 0.2, "burst_max_seconds": 1}
    limits = limits_of(**{**brief, **changes})
    return RedisMailbox(redis, limits.messages, limits.workers, limits.retention)


@pytest.fixture
def mailbox(redis_client: Redis) -> RedisMailbox:
    return mailbox_on(redis_client)


@pytest.fixture
def history(redis_client: Redis) -> RedisHistory:
    return RedisHistory(redis_client, RetentionLimits())


def message(identity: str, text: str = "hello", author: Author = ANNA, **more: Any) -> Message:
    return Message(identity, more.pop("thread", THREAD), author, text, **more)


def photo_post(identity: str, author: Author = ANNA) -> Submission:
    post = message(identity, "", author, attachments=(Attachment("a.jpg"),))
    return Submission(post, gathers=True)


async def take(mailbox: RedisMailbox, thread: Thread = THREAD) -> Lease:
    lease = await mailbox.take(lane_of(thread.key))
    assert isinstance(lease, Lease)
    return lease


def answered(answer: str = "A car.", **more: Any) -> AnsweredTurn:
    turn = Turn("1", 1.0, "Anna", "What is it?", answer)
    return AnsweredTurn(turn, (answer,), **more)


def photo(number: int, at: float = 2e9) -> Photo:
    return Photo(number, f"{number:064x}", "a.jpg", PhotoFacts("JPEG", 4, 3, 9), "Anna", at)


async def test_a_message_is_accepted_taken_and_done(mailbox: RedisMailbox) -> None:
    receipt = await mailbox.accept(Submission(message("m1")))
    lease = await take(mailbox)
    assert (receipt.verdict, receipt.seq) == ("accepted", 1)
    assert [entry.message for entry in lease.run] == [message("m1")]
    assert (lease.attempt, lease.generation, lease.settle) == (1, 0, 0)
    assert await mailbox.complete(lease)
    assert await mailbox.take(lease.lane) is None


async def test_the_same_message_is_accepted_once(mailbox: RedisMailbox) -> None:
    first = await mailbox.accept(Submission(message("m1")))
    again = await mailbox.accept(Submission(message("m1", "hello again")))
    assert (again.verdict, again.seq) == ("duplicate", first.seq)


async def test_it_stays_a_duplicate_after_it_is_done(mailbox: RedisMailbox) -> None:
    await mailbox.accept(Submission(message("m1")))
    await mailbox.complete(await take(mailbox))
    assert (await mailbox.accept(Submission(message("m1")))).verdict == "duplicate"


async def test_an_equal_id_elsewhere_is_another_message(mailbox: RedisMailbox) -> None:
    other = replace(THREAD, tenant="another tenant")
    await mailbox.accept(Submission(message("m1")))
    assert (await mailbox.accept(Submission(message("m1", thread=other)))).verdict == "accepted"
    assert (await mailbox.accept(Submission(message("m1", version="2")))).verdict == "accepted"


async def test_messages_without_an_id_are_never_duplicates(mailbox: RedisMailbox) -> None:
    await mailbox.accept(Submission(message("")))
    assert (await mailbox.accept(Submission(message("")))).verdict == "accepted"


async def test_a_thread_is_worked_on_by_one_and_in_order(mailbox: RedisMailbox) -> None:
    for identity in ("m1", "m2", "m3"):
        await mailbox.accept(Submission(message(identity)))
    taken = []
    for _ in range(3):
        lease = await take(mailbox)
        wait = await mailbox.take(lease.lane)
        assert isinstance(wait, float)
        assert wait <= 1
        taken.append(lease.run[0].message.id)
        await mailbox.complete(lease)
    assert taken == ["m1", "m2", "m3"]


async def test_simultaneous_accepts_lose_nothing(mailbox: RedisMailbox) -> None:
    letters = [Submission(message(f"m{i}")) for i in range(20)]
    receipts = await asyncio.gather(*(mailbox.accept(letter) for letter in letters * 2))
    assert sorted(r.seq for r in receipts if r.verdict == "accepted") == list(range(1, 21))
    assert sum(r.verdict == "duplicate" for r in receipts) == 20


async def test_threads_are_parallel(mailbox: RedisMailbox) -> None:
    threads = [replace(THREAD, root=str(number)) for number in range(40)]
    for thread in threads:
        await mailbox.accept(Submission(message(f"m{thread.root}", thread=thread)))
    found = set()
    for lane in range(LANES):
        while isinstance(lease := await mailbox.take(lane), Lease):
            found.add(lease.mailbox_key)
    assert found == {thread.key for thread in threads}


async def test_a_full_mailbox_refuses_but_takes_a_stop(redis_client: Redis) -> None:
    mailbox = mailbox_on(redis_client, max_waiting=2)
    await mailbox.accept(Submission(message("m1")))
    await mailbox.accept(Submission(message("m2")))
    assert (await mailbox.accept(Submission(message("m3")))).verdict == "full"
    stop = Submission(message("m4", "/stop"), express=True, stops=True, joins=False)
    assert (await mailbox.accept(stop)).verdict == "accepted"
    for _ in range(2):
        await mailbox.complete(await take(mailbox))
    assert (await mailbox.accept(Submission(message("m3")))).verdict == "accepted"


async def test_an_expired_lease_goes_to_a_successor_and_fences_the_first(
    mailbox: RedisMailbox,
) -> None:
    await mailbox.accept(Submission(message("m1")))
    first = await take(mailbox)
    second = await until_taken(mailbox, first.lane)
    assert (second.mailbox_key, second.attempt) == (first.mailbox_key, 2)
    assert not (await mailbox.renew(first)).is_held
    assert not await mailbox.store_result(first, answered())
    assert not await mailbox.complete(first)
    assert not await mailbox.release(first, 0)
    assert await mailbox.gather(first) is None
    with pytest.raises(LeaseLost):
        await mailbox.claim(first.mailbox_key, first.seq, 0, first.token)
    assert await mailbox.complete(second)


async def until_taken(mailbox: RedisMailbox, lane: int) -> Lease:
    async with asyncio.timeout(5):
        while not isinstance(lease := await mailbox.take(lane), Lease):
            await asyncio.sleep(lease or 0.01)
        return lease


async def test_renewing_keeps_the_lease(mailbox: RedisMailbox) -> None:
    await mailbox.accept(Submission(message("m1")))
    lease = await take(mailbox)
    for _ in range(4):
        await asyncio.sleep(0.4)
        assert (await mailbox.renew(lease)).is_held
    assert isinstance(await mailbox.take(lease.lane), float)


async def test_a_finished_turn_waits_for_its_successor(mailbox: RedisMailbox) -> None:
    await mailbox.accept(Submission(message("m1")))
    lease = await take(mailbox)
    result = answered(photos=(photo(1),), request=({"role": "user", "content": []},))
    assert await mailbox.store_result(lease, result)
    await mailbox.release(lease, 0)
    assert (await take(mailbox)).result == result


async def test_done_commits_the_turn_and_the_photos(
    mailbox: RedisMailbox, history: RedisHistory
) -> None:
    await mailbox.accept(Submission(message("m1")))
    result = answered(photos=(photo(1), photo(2)), request=({"role": "system"},))
    await mailbox.complete(await take(mailbox), result)
    past = await history.past(THREAD)
    assert past.turns == (result.turn,)
    assert past.photos == result.photos
    assert past.request == ({"role": "system"},)


async def test_turns_keep_their_order_even_within_a_millisecond(
    mailbox: RedisMailbox, history: RedisHistory
) -> None:
    for number in range(12):
        await mailbox.accept(Submission(message(f"m{number}")))
        await mailbox.complete(await take(mailbox), answered(f"{number}"))
    past = await history.past(THREAD)
    assert [turn.answer for turn in past.turns] == [str(number) for number in range(12)]


async def test_erasing_the_history_keeps_the_settings_and_raises_the_generation(
    mailbox: RedisMailbox, history: RedisHistory
) -> None:
    await history.change(THREAD, model="gpt-5.1")
    for identity, erase in (("m1", "nothing"), ("m2", "history")):
        await mailbox.accept(Submission(message(identity)))
        lease = await take(mailbox)
        result = answered(photos=(photo(1),)) if erase == "nothing" else None
        await mailbox.complete(lease, result, erase)  # type: ignore[arg-type]
    past = await history.past(THREAD)
    assert (past.turns, past.photos, past.next_number) == ((), (), 1)
    assert await history.settings(THREAD) == ThreadSettings(model="gpt-5.1")
    await mailbox.accept(Submission(message("m3")))
    assert (await take(mailbox)).generation == 1


async def test_what_an_older_generation_wants_to_store_is_refused(
    mailbox: RedisMailbox, history: RedisHistory
) -> None:
    await mailbox.accept(Submission(message("j", "/json"), express=True, joins=False))
    older = await take(mailbox)
    await mailbox.accept(Submission(message("r", "/reset"), stops=True, joins=False))
    await mailbox.complete(await take(mailbox), erase="history")
    assert not await mailbox.store_result(older, answered())
    assert not await mailbox.complete(older, answered(photos=(photo(1),)))
    assert not (await mailbox.renew(older)).is_held
    past = await history.past(THREAD)
    assert (past.turns, past.photos) == ((), ())


async def test_erasing_everything_takes_the_settings_too(
    mailbox: RedisMailbox, history: RedisHistory
) -> None:
    await history.change(THREAD, model="gpt-5.1")
    await history.change(THREAD.place, watch="photos")
    await mailbox.accept(Submission(message("m1")))
    await mailbox.complete(await take(mailbox), erase="everything")
    assert await history.settings(THREAD) == ThreadSettings()
    assert await history.settings(THREAD.place) == ThreadSettings(watch="photos")


async def test_a_retry_waits_and_counts(mailbox: RedisMailbox) -> None:
    await mailbox.accept(Submission(message("m1")))
    lease = await take(mailbox)
    await mailbox.release(lease, 0.3)
    wait = await mailbox.take(lease.lane)
    assert isinstance(wait, float)
    assert 0 < wait <= 0.3
    assert (await until_taken(mailbox, lease.lane)).attempt == 2


async def test_a_hand_over_does_not_count(mailbox: RedisMailbox) -> None:
    await mailbox.accept(Submission(message("m1")))
    await mailbox.release(await take(mailbox), 0, counts=False)
    assert (await take(mailbox)).attempt == 1


async def test_a_dead_letter_frees_the_thread(mailbox: RedisMailbox, redis_client: Redis) -> None:
    await mailbox.accept(Submission(message("m1")))
    await mailbox.accept(Submission(message("m2")))
    lease = await take(mailbox)
    assert await mailbox.move_to_dead_letters(lease, "too many attempts")
    following = await take(mailbox)
    assert following.run[0].message.id == "m2"
    assert following.attempt == 1
    assert await redis_client.llen(f"loupe:{{{lease.lane}}}:dead") == 1


async def test_a_stop_reaches_what_was_accepted_before_it_only(mailbox: RedisMailbox) -> None:
    await mailbox.accept(Submission(message("m1")))
    running = await take(mailbox)
    await mailbox.accept(Submission(message("m2")))
    stop = await mailbox.accept(Submission(message("s", "/stop"), express=True, stops=True))
    await mailbox.accept(Submission(message("m3")))
    standing = await mailbox.renew(running)
    assert standing.stop == stop.seq
    assert running.seq < standing.stop
    await mailbox.complete(running)
    places = []
    while isinstance(lease := await mailbox.take(lane_of(THREAD.key)), Lease):
        if not lease.mailbox_key.endswith("!"):
            places.append((lease.run[0].message.id, lease.seq < lease.stop))
        else:
            assert lease.run[0].before == 2
        await mailbox.complete(lease)
    assert sorted(places) == [("m2", True), ("m3", False)]


async def test_a_stop_wakes_a_thread_that_waits_for_a_retry(mailbox: RedisMailbox) -> None:
    await mailbox.accept(Submission(message("m1")))
    await mailbox.release(await take(mailbox), 60)
    await mailbox.accept(Submission(message("s", "/stop"), express=True, stops=True))
    boxes = {(await take(mailbox)).mailbox_key for _ in range(2)}
    assert THREAD.key in boxes


async def test_express_commands_overtake(mailbox: RedisMailbox) -> None:
    await mailbox.accept(Submission(message("m1")))
    await take(mailbox)
    await mailbox.accept(Submission(message("j", "/json"), express=True, joins=False))
    assert (await take(mailbox)).run[0].message.id == "j"


async def test_a_burst_of_photos_is_one_run_that_words_end(mailbox: RedisMailbox) -> None:
    await mailbox.accept(photo_post("p1"))
    lease = await take(mailbox)
    assert 0 < lease.settle <= 0.2
    await mailbox.accept(photo_post("p2"))
    await mailbox.accept(Submission(message("b", "something else", BEN)))
    await mailbox.accept(Submission(message("w", "what is it?")))
    await mailbox.accept(Submission(message("next", "and now?")))
    whole = await mailbox.gather(lease)
    assert whole is not None
    assert [entry.message.id for entry in whole.run] == ["p1", "p2", "w"]
    assert whole.settle == 0
    await mailbox.complete(whole)
    rest = []
    while isinstance(lease := await mailbox.take(lane_of(THREAD.key)), Lease):  # type: ignore[assignment]
        rest.append(lease.run[0].message.id)
        await mailbox.complete(lease)
    assert rest == ["b", "next"]


async def test_a_burst_ends_when_nothing_more_comes(mailbox: RedisMailbox) -> None:
    await mailbox.accept(photo_post("p1"))
    lease = await take(mailbox)
    await asyncio.sleep(lease.settle + 0.01)
    whole = await mailbox.gather(lease)
    assert whole is not None
    assert (len(whole.run), whole.settle) == (1, 0)


async def test_a_command_of_the_same_author_ends_a_burst_without_joining_it(
    mailbox: RedisMailbox,
) -> None:
    await mailbox.accept(photo_post("p1"))
    await mailbox.accept(Submission(message("c", "/vision on"), joins=False))
    lease = await take(mailbox)
    assert [entry.message.id for entry in lease.run] == ["p1"]
    assert lease.settle == 0


async def test_a_message_with_words_never_waits(mailbox: RedisMailbox) -> None:
    await mailbox.accept(Submission(message("w", attachments=(Attachment("a.jpg"),))))
    await mailbox.accept(photo_post("p1"))
    lease = await take(mailbox)
    assert ([entry.message.id for entry in lease.run], lease.settle) == (["w"], 0)


async def test_ahead_counts_what_waits_before(mailbox: RedisMailbox) -> None:
    posts = [message(f"m{i}") for i in range(3)]
    places = [(await mailbox.accept(Submission(post))).seq for post in posts]
    assert await mailbox.count_ahead(posts[2], places[2]) == 2
    lease = await take(mailbox)
    assert await mailbox.count_ahead(posts[0], places[0]) is None
    assert await mailbox.count_ahead(posts[1], places[1]) == 1
    await mailbox.complete(lease)
    assert await mailbox.count_ahead(posts[0], places[0]) is None
    assert await mailbox.count_ahead(posts[1], places[1]) == 0


async def test_who_joins_a_photo_that_waits_has_no_place_of_its_own(mailbox: RedisMailbox) -> None:
    letters = [
        Submission(message("m")),
        photo_post("p1"),
        photo_post("p2"),
        Submission(message("w")),
    ]
    places = [(await mailbox.accept(letter)).seq for letter in letters]
    ahead = [
        await mailbox.count_ahead(one.message, n) for one, n in zip(letters, places, strict=True)
    ]
    assert ahead == [0, 1, None, None]


async def test_who_comes_while_a_burst_is_answered_has_a_place(mailbox: RedisMailbox) -> None:
    await mailbox.accept(photo_post("p1"))
    lease = await take(mailbox)
    words = message("w")
    joining = await mailbox.accept(photo_post("p2"))
    assert await mailbox.count_ahead(message("p2"), joining.seq) is None
    await asyncio.sleep(0.25)
    assert await mailbox.gather(lease)
    late = await mailbox.accept(Submission(words))
    assert await mailbox.count_ahead(words, late.seq) == 2
    assert await mailbox.count_ahead(message("p2"), joining.seq) is None


async def test_who_is_worked_on_has_no_place_even_when_it_is_stopped(mailbox: RedisMailbox) -> None:
    await mailbox.accept(photo_post("p"))
    words = message("w")
    place = await mailbox.accept(Submission(words))
    await take(mailbox)
    await mailbox.accept(Submission(message("s", "/stop"), express=True, stops=True, joins=False))
    assert await mailbox.count_ahead(words, place.seq) is None


async def test_a_send_is_claimed_once_and_its_id_recorded(mailbox: RedisMailbox) -> None:
    await mailbox.accept(Submission(message("m1")))
    lease = await take(mailbox)
    assert await mailbox.claim(lease.mailbox_key, lease.seq, 0, lease.token) is None
    unclear = await mailbox.claim(lease.mailbox_key, lease.seq, 0, lease.token)
    assert unclear is not None
    assert unclear.id == ""
    await mailbox.record(lease.mailbox_key, lease.seq, 0, SendRecord("id-1", "A c"))
    assert await mailbox.claim(lease.mailbox_key, lease.seq, 0, lease.token) == SendRecord(
        "id-1", "A c"
    )
    await mailbox.claim(lease.mailbox_key, lease.seq, 1, lease.token)
    await mailbox.unclaim(lease.mailbox_key, lease.seq, 1)
    assert await mailbox.claim(lease.mailbox_key, lease.seq, 1, lease.token) is None


async def test_a_send_is_not_recorded_after_its_message_is_done(
    mailbox: RedisMailbox, redis_client: Redis
) -> None:
    await mailbox.accept(Submission(message("m1")))
    lease = await take(mailbox)
    await mailbox.claim(lease.mailbox_key, lease.seq, 0, lease.token)
    await mailbox.complete(lease, erase="everything")
    await mailbox.record(lease.mailbox_key, lease.seq, 0, SendRecord("id-1", "what was said"))
    assert await redis_client.keys("*:sends:*") == []


async def test_what_is_shown_is_recorded_under_the_lease_only(mailbox: RedisMailbox) -> None:
    await mailbox.accept(Submission(message("m1")))
    lease = await take(mailbox)
    await mailbox.claim(lease.mailbox_key, lease.seq, 0, lease.token)
    await mailbox.record(lease.mailbox_key, lease.seq, 0, SendRecord("id-1", "A c"), lease.token)
    await mailbox.release(lease, 0)
    successor = await take(mailbox)
    with pytest.raises(LeaseLost):
        await mailbox.record(
            lease.mailbox_key, lease.seq, 0, SendRecord("id-1", "A car"), lease.token
        )
    known = await mailbox.claim(lease.mailbox_key, lease.seq, 0, successor.token)
    assert known == SendRecord("id-1", "A c")


async def test_a_waiting_message_can_be_claimed_without_a_lease_until_its_turn(
    mailbox: RedisMailbox,
) -> None:
    await mailbox.accept(Submission(message("m1")))
    await mailbox.accept(Submission(message("m2")))
    lease = await take(mailbox)
    assert await mailbox.claim(lease.mailbox_key, 2, 0) is None
    with pytest.raises(LeaseLost):
        await mailbox.claim(lease.mailbox_key, 1, 0)


async def test_news_tells_of_mail_and_of_stops(mailbox: RedisMailbox) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()

    async def listen() -> None:
        async for news in mailbox.events():
            heard.put_nowait(news)

    listener = asyncio.create_task(listen())
    try:
        async with asyncio.timeout(5):
            number = 0
            while heard.empty():
                number += 1
                await mailbox.accept(Submission(message(f"m{number}")))
                await asyncio.sleep(0.02)
            first = await heard.get()
            assert (first.mailbox_key, first.lane, first.stop) == (
                THREAD.key,
                lane_of(THREAD.key),
                0,
            )
            stop = await mailbox.accept(Submission(message("s"), express=True, stops=True))
            while not (news := await heard.get()).stop:
                pass
            assert (news.thread, news.stop) == (THREAD.key, stop.seq)
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


async def test_the_sweep_removes_what_is_past_its_retention(redis_client: Redis) -> None:
    days = 1e-6  # 86 milliseconds
    sweeper = mailbox_on(redis_client, retention_days=days)
    history = RedisHistory(redis_client, RetentionLimits(retention_days=days))
    keeper = mailbox_on(redis_client)
    await keeper.accept(Submission(message("m1")))
    await keeper.complete(await take(keeper), answered(photos=(photo(1, at=0),)))
    await keeper.accept(Submission(message("m2")))
    await keeper.complete(await take(keeper), answered("later"))
    await asyncio.sleep(0.1)
    assert (await history.past(THREAD)).turns == ()
    assert await sweeper.sweep() == 2
    assert await sweeper.sweep() == 0


@pytest.mark.parametrize(
    "name",
    ["*", "?[a]", "\r\nDEL x", "'; return 1 --", "{0}", "x" * 100_000, "", "\u0000", "ü😀", "!"],
)
async def test_hostile_names_are_only_names(mailbox: RedisMailbox, name: str) -> None:
    thread = Thread("msteams", name, name, name)
    await mailbox.accept(Submission(message(name or "m", name, Author(name, name), thread=thread)))
    lease = await take(mailbox, thread)
    assert lease.run[0].message.thread == thread
    assert await mailbox.complete(lease)


async def test_what_a_post_asked_and_brought_is_forgotten(
    mailbox: RedisMailbox, history: RedisHistory
) -> None:
    for number, (post, photos) in enumerate((("m1", (1, 2)), ("m2", (2,))), start=1):
        await mailbox.accept(Submission(message(post)))
        turn = turn_of(
            TurnRecord(
                str(number), float(number), "Anna", post, "That.", photos=photos, messages=(post,)
            )
        )
        kept = tuple(replace(photo(n), message="m1") for n in photos)
        assert await mailbox.complete(
            await take(mailbox), AnsweredTurn(turn, ("That.",), photos=kept)
        )
    await mailbox.accept(Submission(message("gone", kind="deleted", quoted="m1")))
    lease = await take(mailbox)
    assert await mailbox.retract(lease, "m1") == (f"{1:064x}",)
    assert await mailbox.retract(lease, "m1") == ()
    past = await history.past(THREAD)
    assert [turn.question for turn in past.turns] == ["m2"]
    assert [one.number for one in past.photos] == [2]
    assert past.request == ()


async def test_nothing_is_forgotten_without_the_lease(
    mailbox: RedisMailbox, history: RedisHistory
) -> None:
    await mailbox.accept(Submission(message("m1")))
    turn = turn_of(TurnRecord("1", 1.0, "Anna", "m1", "That.", messages=("m1",)))
    assert await mailbox.complete(await take(mailbox), AnsweredTurn(turn, ("That.",)))
    await mailbox.accept(Submission(message("gone", kind="deleted", quoted="m1")))
    lease = await take(mailbox)
    with pytest.raises(LeaseLost):
        await mailbox.retract(replace(lease, token="another's"), "m1")
    assert len((await history.past(THREAD)).turns) == 1


async def test_a_deletion_of_what_nobody_asked_leaves_no_trace(
    mailbox: RedisMailbox, redis_client: Redis
) -> None:
    gone = message("e1", "", kind="deleted", quoted="m1")
    assert (await mailbox.accept(Submission(gone, joins=False))).verdict == "duplicate"
    assert [key for key in await redis_client.keys("*") if ":seen:" not in str(key)] == []
    assert (await mailbox.accept(Submission(message("m1")))).verdict == "duplicate"


async def test_a_deletion_finds_room_where_nothing_else_does(redis_client: Redis) -> None:
    mailbox = mailbox_on(redis_client, max_waiting=1)
    await mailbox.accept(Submission(message("m1")))
    assert (await mailbox.accept(Submission(message("m2")))).verdict == "full"
    gone = message("e1", "", kind="deleted", quoted="m1")
    assert (await mailbox.accept(Submission(gone, joins=False))).verdict == "accepted"
