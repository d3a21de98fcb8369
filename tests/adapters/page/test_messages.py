from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from adapters.page import messages as messages_module
from adapters.page.messages import CHANGES, RECENT, TOKEN, MessageFile, MessageStore, PageMessage
from adapters.page.subscriptions import Subscriptions
from adapters.redis.connection import connect
from adapters.redis.settings import RedisSettings
from bot.errors import StoreDown
from bot.ports.channel import Button, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from redis.asyncio import Redis

DAY = 24 * 3600.0
TALK = "a" * 32
OTHER = "b" * 32


@pytest.fixture
def store(redis_client: Redis) -> MessageStore:
    return MessageStore(redis_client, 30 * DAY)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, which a test may move."""
    now = [1_000_000.0]
    monkeypatch.setattr(messages_module, "_now", lambda: int(now[0] * 1000))
    return now


def said(name: str, text: str = "", stage: Stage = Stage.FINAL) -> PageMessage:
    return PageMessage(name, "loupe", text, stage)


async def test_messages_come_back_in_the_order_of_their_changes(store: MessageStore) -> None:
    await store.put(TALK, said("n1", "one"))
    await store.put(TALK, said("n2", "two"))
    await store.put(TALK, said("n1", "one, changed"))
    changes = await store.read(TALK)
    assert changes.version == 3
    assert [(message["id"], message["text"]) for message in changes.messages] == [
        ("n2", "two"),
        ("n1", "one, changed"),
    ]


async def test_a_changed_message_keeps_its_place_and_its_time(
    store: MessageStore, clock: list[float]
) -> None:
    await store.put(TALK, said("n1", "one"))
    clock[0] += 60
    await store.put(TALK, said("n2", "two"))
    await store.put(TALK, said("n1", "one, changed"))
    messages = {message["id"]: message for message in (await store.read(TALK)).messages}
    assert (messages["n1"]["order"], messages["n1"]["at"]) == (1, 1_000_000_000)
    assert (messages["n1"]["changed"], messages["n2"]["changed"]) == (3, 2)


async def test_a_message_remembers_when_it_became_more_than_a_placeholder(
    store: MessageStore,
) -> None:
    await store.put(TALK, said("n1", "Thinking…", Stage.OPENING))
    assert (await store.read(TALK)).messages[0]["began"] == 0
    await store.put(TALK, said("n2", "between"))
    await store.put(TALK, said("n1", "The", Stage.GROWING))
    await store.put(TALK, said("n1", "The end"))
    messages = {message["id"]: message for message in (await store.read(TALK)).messages}
    assert (messages["n1"]["order"], messages["n1"]["began"], messages["n1"]["changed"]) == (
        1,
        3,
        4,
    )


async def test_only_what_changed_since_a_version_is_read(store: MessageStore) -> None:
    for number in range(5):
        await store.put(TALK, said(f"n{number}"))
    changes = await store.read(TALK, 3)
    assert [message["id"] for message in changes.messages] == ["n3", "n4"]
    assert (await store.read(TALK, 5)).messages == ()


async def test_a_reader_ahead_of_the_store_gets_everything(store: MessageStore) -> None:
    await store.put(TALK, said("n1"))
    assert [message["id"] for message in (await store.read(TALK, 900)).messages] == ["n1"]


async def test_a_message_put_once_is_not_changed_by_the_same_id(store: MessageStore) -> None:
    assert await store.put(TALK, said("n1", "first"), once=True)
    assert not await store.put(TALK, said("n1", "second"), once=True)
    changes = await store.read(TALK)
    assert (changes.version, changes.messages[0]["text"]) == (1, "first")


async def test_a_deleted_message_can_be_put_again(store: MessageStore) -> None:
    await store.put(TALK, said("n1", "first"), once=True)
    await store.delete(TALK, "n1")
    assert (await store.read(TALK)).messages == ()
    assert await store.put(TALK, said("n1", "second"), once=True)
    assert [message["text"] for message in (await store.read(TALK)).messages] == ["second"]


async def test_conversations_do_not_meet(store: MessageStore) -> None:
    await store.put(TALK, said("n1", "mine"))
    await store.put(OTHER, said("n1", "theirs"))
    assert [message["text"] for message in (await store.read(TALK)).messages] == ["mine"]


async def test_everything_of_a_message_survives(store: MessageStore) -> None:
    text = 'Any {text} [] "quoted" \n 1 2 3 \x00 ☕ ```'
    file = MessageFile("f" * 32, "key/up/f", "käse 🧀.jpg", 7, "image/jpeg")
    message = PageMessage(
        "n1",
        "loupe",
        text,
        asks="m1",
        quiet=True,
        generated=True,
        stopped=True,
        buttons=(Button("Go", "/go"),),
        files=(file,),
    )
    await store.put(TALK, message)
    (stored_message,) = (await store.read(TALK)).messages
    assert stored_message["text"] == text
    assert stored_message["buttons"] == [{"title": "Go", "command": "/go"}]
    assert stored_message["files"][0]["name"] == "käse 🧀.jpg"
    assert (
        stored_message["asks"],
        stored_message["quiet"],
        stored_message["generated"],
        stored_message["stopped"],
    ) == (
        "m1",
        True,
        True,
        True,
    )


async def test_empty_lists_of_a_message_stay_lists(store: MessageStore) -> None:
    await store.put(TALK, said("n1"))
    (stored_message,) = (await store.read(TALK)).messages
    assert (stored_message["buttons"], stored_message["files"]) == ([], [])


async def test_messages_past_their_retention_go_even_in_a_busy_conversation(
    redis_client: Redis, clock: list[float]
) -> None:
    store = MessageStore(redis_client, DAY)
    await store.put(TALK, said("old", "long ago"))
    clock[0] += DAY - 60
    await store.put(TALK, said("new", "just now"))
    assert len((await store.read(TALK)).messages) == 2
    clock[0] += 120
    assert [message["id"] for message in (await store.read(TALK)).messages] == ["new"]
    await store.put(TALK, said("newer"))
    ids = await redis_client.hkeys(f"loupe:page:{{{TALK}}}:notes")
    assert sorted(ids) == ["new", "newer"]


async def test_every_key_but_the_token_has_a_term_and_conversations_one_slot(
    store: MessageStore, redis_client: Redis
) -> None:
    await store.token()
    await store.put(TALK, said("n1"))
    await store.add_file(TALK, MessageFile("f" * 32, "key", "a.jpg", 1))
    await store.remember("u1", TALK, "A title")
    keys = await redis_client.keys("*")
    assert all(key.startswith("loupe:page:") for key in keys)
    terms = {key: await redis_client.pttl(key) for key in keys if key != TOKEN}
    assert all(0 < term <= 30 * DAY * 1000 for term in terms.values())
    assert all("{" + TALK + "}" in key or "{u1}" in key for key in terms)


async def test_many_writers_lose_nothing(store: MessageStore) -> None:
    await asyncio.gather(*(store.put(TALK, said(f"n{number}")) for number in range(60)))
    changes = await store.read(TALK)
    assert changes.version == 60
    assert sorted(message["order"] for message in changes.messages) == list(range(1, 61))


async def test_processes_share_one_token(redis_client: Redis) -> None:
    walls = [MessageStore(redis_client, DAY) for _ in range(5)]
    tokens = await asyncio.gather(*(store.token() for store in walls))
    assert len(set(tokens)) == 1
    assert len(tokens[0]) >= 32


async def test_a_file_is_found_in_its_own_conversation_only(store: MessageStore) -> None:
    file = MessageFile("f" * 32, "key/up/f", "a.jpg", 3, "image/jpeg")
    await store.add_file(TALK, file)
    assert await store.file(TALK, file.ref) == file
    assert await store.file(OTHER, file.ref) is None


async def test_recent_conversations_are_listed_latest_first_with_their_first_title(
    store: MessageStore, clock: list[float]
) -> None:
    await store.remember("u1", TALK, "First words")
    clock[0] += 1
    await store.remember("u1", OTHER, "x" * 500)
    clock[0] += 1
    await store.remember("u1", TALK, "Later words")
    lines = await store.recent("u1")
    assert [(line.id, line.title) for line in lines] == [(TALK, "First words"), (OTHER, "x" * 80)]
    assert await store.recent("u2") == []


async def test_the_list_of_conversations_is_bounded(
    store: MessageStore, clock: list[float]
) -> None:
    for number in range(RECENT + 5):
        clock[0] += 1
        await store.remember("u1", f"{number:032}", str(number))
    lines = await store.recent("u1")
    assert [line.title for line in lines] == [str(number) for number in range(34, 4, -1)]


async def test_a_store_that_is_away_is_said_to_be_down(tmp_path: Path) -> None:
    client = connect(f"unix://{tmp_path}/nobody", RedisSettings())
    store = MessageStore(client, DAY)
    calls = [store.token(), store.put(TALK, said("n1")), store.read(TALK), store.recent("u1")]
    for call in calls:
        with pytest.raises(StoreDown):
            await call
    await client.aclose()


async def test_watchers_hear_of_changes_of_their_conversation(
    store: MessageStore, redis_client: Redis
) -> None:
    subscriptions = Subscriptions(redis_client)
    await subscriptions.start()
    with subscriptions.watch(TALK) as mine, subscriptions.watch(OTHER) as theirs:
        async with asyncio.timeout(5):
            while not mine.is_set():
                await store.put(TALK, said("n1"))
                with suppress(TimeoutError):
                    await asyncio.wait_for(mine.wait(), 0.1)
        assert not theirs.is_set()
    await subscriptions.stop()


async def test_stopping_wakes_all_watchers(redis_client: Redis) -> None:
    subscriptions = Subscriptions(redis_client)
    await subscriptions.start()
    with subscriptions.watch(TALK) as bell:
        await subscriptions.stop()
        assert bell.is_set()
    assert subscriptions.closed


async def test_each_change_publishes_its_version(store: MessageStore, redis_client: Redis) -> None:
    async with redis_client.pubsub() as subscription:
        await subscription.subscribe(CHANGES + TALK)
        await store.put(TALK, said("n1"))
        async with asyncio.timeout(5):
            change = None
            while not change:
                change = await subscription.get_message(ignore_subscribe_messages=True, timeout=1)
    assert change["data"] == "1"
    assert json.loads(change["data"]) == (await store.read(TALK)).version
