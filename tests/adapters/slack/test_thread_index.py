"""What Slack's channel stores in Redis."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from adapters.slack.addresses import TOP, thread_of
from adapters.slack.thread_index import ThreadIndex
from bot.commands.registry import GRAMMAR
from bot.domain.messages import Author, Message
from bot.errors import StoreDown
from tests.helpers.fakes import FakeTime

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from bot.domain.messages import Kind

PLACE = thread_of("T1", "C1", TOP).place
DAY = 24 * 3600


def post(
    root: str, user: str = "U1", *, team: str = "T1", channel: str = "C1", text: str = "look"
) -> Message:
    return Message("1", thread_of(team, channel, root), Author(user), text)


@pytest.fixture
def index(redis_client: Redis) -> ThreadIndex:
    return ThreadIndex(redis_client, DAY, GRAMMAR)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    clock = FakeTime()
    monkeypatch.setattr("adapters.slack.thread_index.time.time", clock)
    return clock


async def test_the_latest_thread_of_each_caller_is_known(index: ThreadIndex) -> None:
    for message in (post("1.0"), post("2.0", "U2"), post("3.0"), post("4.0", channel="C2")):
        await index.note(message)
    assert await index.latest(PLACE, "U1") == "3.0"
    assert await index.latest(PLACE, "U2") == "2.0"
    assert await index.latest(PLACE, "U3") == ""


async def test_orders_at_the_top_are_in_no_thread(index: ThreadIndex) -> None:
    await index.note(post("1.0"))
    await index.note(post(TOP, text="/model"))
    assert await index.latest(PLACE, "U1") == "1.0"


async def test_every_thread_of_a_team_is_listed_once(index: ThreadIndex) -> None:
    for message in (post("1.0"), post("1.0", "U2"), post(TOP), post("2.0", channel="C2")):
        await index.note(message)
    await index.note(post("9.0", team="T2"))
    assert sorted(await index.threads("T1")) == [("C1", "1.0"), ("C1", TOP), ("C2", "2.0")]
    assert await index.threads("T2") == [("C1", "9.0")]


@pytest.mark.parametrize("kind", ["channel", "full", "deleted", "uninstalled"])
async def test_what_leaves_nothing_behind_is_not_noted(index: ThreadIndex, kind: Kind) -> None:
    await index.note(replace(post("1.0"), kind=kind))
    assert await index.threads("T1") == []
    assert await index.latest(PLACE, "U1") == ""


async def test_threads_are_forgotten_when_their_time_is_over(
    index: ThreadIndex, clock: FakeTime
) -> None:
    await index.note(post("1.0"))
    clock.forward(DAY + 1)
    await index.note(post("2.0"))
    assert await index.threads("T1") == [("C1", "2.0")]


async def test_threads_that_may_hold_settings_are_kept(index: ThreadIndex, clock: FakeTime) -> None:
    await index.note(post("1.0", text="!model small"))
    await index.note(post(TOP, text="/vision off"))
    clock.forward(DAY + 1)
    await index.note(post("2.0"))
    assert sorted(await index.threads("T1")) == [("C1", "1.0"), ("C1", "2.0"), ("C1", TOP)]


async def test_all_but_what_holds_settings_expires_by_itself(
    index: ThreadIndex, redis_client: Redis
) -> None:
    await index.note(post("1.0", text="/model small"))
    lasts = {str(key): await redis_client.ttl(key) for key in await redis_client.keys()}
    assert sorted(key for key, ttl in lasts.items() if ttl == -1) == ["loupe:slack:{T1}:lasting"]
    assert {ttl for ttl in lasts.values() if ttl > DAY} == set()


async def test_a_left_place_has_no_callers_but_its_threads_may_still_be_erased(
    index: ThreadIndex,
) -> None:
    await index.note(post("1.0"))
    await index.note(post("2.0", channel="C2"))
    await index.forget_callers(PLACE)
    assert await index.latest(PLACE, "U1") == ""
    assert await index.latest(thread_of("T1", "C2", TOP).place, "U1") == "2.0"
    assert len(await index.threads("T1")) == 2


async def test_nothing_of_a_forgotten_team_stays(index: ThreadIndex, redis_client: Redis) -> None:
    await index.note(post("1.0", text="/model small"))
    await index.note(post("2.0", "U2"))
    await index.note(post("9.0", team="T2"))
    before = {str(key) for key in await redis_client.keys()}
    await index.forget("T1")
    left = {str(key) for key in await redis_client.keys()}
    assert left == {key for key in before if "{T2}" in key}
    assert left
    await index.forget("T1")


async def test_no_choice_of_ids_reaches_into_another_callers_key(index: ThreadIndex) -> None:
    await index.note(post("1.0", 'x", "y', channel="C"))
    await index.note(post("2.0", "y", channel='C", "x'))
    assert await index.latest(thread_of("T1", "C", TOP).place, 'x", "y') == "1.0"


async def test_all_keys_of_a_team_are_in_one_slot(index: ThreadIndex, redis_client: Redis) -> None:
    await index.note(post("1.0", text="/model"))
    keys = [str(key) for key in await redis_client.keys()]
    assert len(keys) == 4
    assert all(key.startswith("loupe:slack:{T1}:") for key in keys)


async def test_a_store_that_is_away_is_named_as_such() -> None:
    server = FakeServer()
    redis = FakeAsyncRedis(server=server, decode_responses=True)
    server.connected = False
    index = ThreadIndex(redis, DAY, GRAMMAR)
    for call in (
        index.note(post("1.0")),
        index.latest(PLACE, "U1"),
        index.threads("T1"),
        index.forget_callers(PLACE),
        index.forget("T1"),
    ):
        with pytest.raises(StoreDown):
            await call
    await redis.aclose()
