from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from adapters.page import notes_store as wall_module
from adapters.page.notes_store import NEWS, RECENT, TOKEN, Note, NoteFile, NotesStore
from adapters.page.subscriptions import NoteSubscriptions
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
def wall(redis_client: Redis) -> NotesStore:
    return NotesStore(redis_client, 30 * DAY)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, which a test may move."""
    now = [1_000_000.0]
    monkeypatch.setattr(wall_module, "_now", lambda: int(now[0] * 1000))
    return now


def said(name: str, text: str = "", stage: Stage = Stage.FINAL) -> Note:
    return Note(name, "loupe", text, stage)


async def test_notes_come_back_in_the_order_of_their_changes(wall: NotesStore) -> None:
    await wall.put(TALK, said("n1", "one"))
    await wall.put(TALK, said("n2", "two"))
    await wall.put(TALK, said("n1", "one, changed"))
    changes = await wall.read(TALK)
    assert changes.version == 3
    assert [(note["id"], note["text"]) for note in changes.notes] == [
        ("n2", "two"),
        ("n1", "one, changed"),
    ]


async def test_a_changed_note_keeps_its_place_and_its_time(
    wall: NotesStore, clock: list[float]
) -> None:
    await wall.put(TALK, said("n1", "one"))
    clock[0] += 60
    await wall.put(TALK, said("n2", "two"))
    await wall.put(TALK, said("n1", "one, changed"))
    notes = {note["id"]: note for note in (await wall.read(TALK)).notes}
    assert (notes["n1"]["order"], notes["n1"]["at"]) == (1, 1_000_000_000)
    assert (notes["n1"]["changed"], notes["n2"]["changed"]) == (3, 2)


async def test_a_note_remembers_when_it_became_more_than_a_placeholder(wall: NotesStore) -> None:
    await wall.put(TALK, said("n1", "Thinking…", Stage.OPENING))
    assert (await wall.read(TALK)).notes[0]["began"] == 0
    await wall.put(TALK, said("n2", "between"))
    await wall.put(TALK, said("n1", "The", Stage.GROWING))
    await wall.put(TALK, said("n1", "The end"))
    notes = {note["id"]: note for note in (await wall.read(TALK)).notes}
    assert (notes["n1"]["order"], notes["n1"]["began"], notes["n1"]["changed"]) == (1, 3, 4)


async def test_only_what_changed_since_a_version_is_read(wall: NotesStore) -> None:
    for number in range(5):
        await wall.put(TALK, said(f"n{number}"))
    changes = await wall.read(TALK, 3)
    assert [note["id"] for note in changes.notes] == ["n3", "n4"]
    assert (await wall.read(TALK, 5)).notes == ()


async def test_a_wall_that_is_younger_than_the_reader_is_read_whole(wall: NotesStore) -> None:
    await wall.put(TALK, said("n1"))
    assert [note["id"] for note in (await wall.read(TALK, 900)).notes] == ["n1"]


async def test_a_note_put_up_once_is_not_changed_by_the_same_id(wall: NotesStore) -> None:
    assert await wall.put(TALK, said("n1", "first"), once=True)
    assert not await wall.put(TALK, said("n1", "second"), once=True)
    changes = await wall.read(TALK)
    assert (changes.version, changes.notes[0]["text"]) == (1, "first")


async def test_a_note_that_was_taken_down_can_be_put_up_again(wall: NotesStore) -> None:
    await wall.put(TALK, said("n1", "first"), once=True)
    await wall.take_down(TALK, "n1")
    assert (await wall.read(TALK)).notes == ()
    assert await wall.put(TALK, said("n1", "second"), once=True)
    assert [note["text"] for note in (await wall.read(TALK)).notes] == ["second"]


async def test_conversations_do_not_meet(wall: NotesStore) -> None:
    await wall.put(TALK, said("n1", "mine"))
    await wall.put(OTHER, said("n1", "theirs"))
    assert [note["text"] for note in (await wall.read(TALK)).notes] == ["mine"]


async def test_everything_of_a_note_survives(wall: NotesStore) -> None:
    text = 'Any {text} [] "quoted" \n 1 2 3 \x00 ☕ ```'
    file = NoteFile("f" * 32, "key/up/f", "käse 🧀.jpg", 7, "image/jpeg")
    note = Note(
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
    await wall.put(TALK, note)
    (found,) = (await wall.read(TALK)).notes
    assert found["text"] == text
    assert found["buttons"] == [{"title": "Go", "command": "/go"}]
    assert found["files"][0]["name"] == "käse 🧀.jpg"
    assert (found["asks"], found["quiet"], found["generated"], found["stopped"]) == (
        "m1",
        True,
        True,
        True,
    )


async def test_a_note_of_empty_lists_stays_a_note_of_lists(wall: NotesStore) -> None:
    await wall.put(TALK, said("n1"))
    (found,) = (await wall.read(TALK)).notes
    assert (found["buttons"], found["files"]) == ([], [])


async def test_notes_past_their_retention_go_even_in_a_busy_conversation(
    redis_client: Redis, clock: list[float]
) -> None:
    wall = NotesStore(redis_client, DAY)
    await wall.put(TALK, said("old", "long ago"))
    clock[0] += DAY - 60
    await wall.put(TALK, said("new", "just now"))
    assert len((await wall.read(TALK)).notes) == 2
    clock[0] += 120
    assert [note["id"] for note in (await wall.read(TALK)).notes] == ["new"]
    await wall.put(TALK, said("newer"))
    kept = await redis_client.hkeys(f"loupe:page:{{{TALK}}}:notes")
    assert sorted(kept) == ["new", "newer"]


async def test_every_key_but_the_token_has_a_term_and_conversations_one_slot(
    wall: NotesStore, redis_client: Redis
) -> None:
    await wall.token()
    await wall.put(TALK, said("n1"))
    await wall.add_file(TALK, NoteFile("f" * 32, "key", "a.jpg", 1))
    await wall.remember("u1", TALK, "A title")
    keys = await redis_client.keys("*")
    assert all(key.startswith("loupe:page:") for key in keys)
    terms = {key: await redis_client.pttl(key) for key in keys if key != TOKEN}
    assert all(0 < term <= 30 * DAY * 1000 for term in terms.values())
    assert all("{" + TALK + "}" in key or "{u1}" in key for key in terms)


async def test_many_writers_lose_nothing(wall: NotesStore) -> None:
    await asyncio.gather(*(wall.put(TALK, said(f"n{number}")) for number in range(60)))
    changes = await wall.read(TALK)
    assert changes.version == 60
    assert sorted(note["order"] for note in changes.notes) == list(range(1, 61))


async def test_processes_share_one_token(redis_client: Redis) -> None:
    walls = [NotesStore(redis_client, DAY) for _ in range(5)]
    tokens = await asyncio.gather(*(wall.token() for wall in walls))
    assert len(set(tokens)) == 1
    assert len(tokens[0]) >= 32


async def test_a_file_is_found_in_its_own_conversation_only(wall: NotesStore) -> None:
    file = NoteFile("f" * 32, "key/up/f", "a.jpg", 3, "image/jpeg")
    await wall.add_file(TALK, file)
    assert await wall.file(TALK, file.ref) == file
    assert await wall.file(OTHER, file.ref) is None


async def test_recent_conversations_are_listed_latest_first_with_their_first_title(
    wall: NotesStore, clock: list[float]
) -> None:
    await wall.remember("u1", TALK, "First words")
    clock[0] += 1
    await wall.remember("u1", OTHER, "x" * 500)
    clock[0] += 1
    await wall.remember("u1", TALK, "Later words")
    lines = await wall.recent("u1")
    assert [(line.id, line.title) for line in lines] == [(TALK, "First words"), (OTHER, "x" * 80)]
    assert await wall.recent("u2") == []


async def test_the_list_of_conversations_is_bounded(wall: NotesStore, clock: list[float]) -> None:
    for number in range(RECENT + 5):
        clock[0] += 1
        await wall.remember("u1", f"{number:032}", str(number))
    lines = await wall.recent("u1")
    assert [line.title for line in lines] == [str(number) for number in range(34, 4, -1)]


async def test_a_store_that_is_away_is_said_to_be_down(tmp_path: Path) -> None:
    client = connect(f"unix://{tmp_path}/nobody", RedisSettings())
    wall = NotesStore(client, DAY)
    calls = [wall.token(), wall.put(TALK, said("n1")), wall.read(TALK), wall.recent("u1")]
    for call in calls:
        with pytest.raises(StoreDown):
            await call
    await client.aclose()


async def test_watchers_hear_of_changes_of_their_conversation(
    wall: NotesStore, redis_client: Redis
) -> None:
    news = NoteSubscriptions(redis_client)
    await news.start()
    with news.watch(TALK) as mine, news.watch(OTHER) as theirs:
        async with asyncio.timeout(5):
            while not mine.is_set():
                await wall.put(TALK, said("n1"))
                with suppress(TimeoutError):
                    await asyncio.wait_for(mine.wait(), 0.1)
        assert not theirs.is_set()
    await news.stop()


async def test_stopping_wakes_all_watchers(redis_client: Redis) -> None:
    news = NoteSubscriptions(redis_client)
    await news.start()
    with news.watch(TALK) as bell:
        await news.stop()
        assert bell.is_set()
    assert news.closed


async def test_the_news_of_a_change_is_its_version(wall: NotesStore, redis_client: Redis) -> None:
    async with redis_client.pubsub() as subscription:
        await subscription.subscribe(NEWS + TALK)
        await wall.put(TALK, said("n1"))
        async with asyncio.timeout(5):
            news = None
            while not news:
                news = await subscription.get_message(ignore_subscribe_messages=True, timeout=1)
    assert news["data"] == "1"
    assert json.loads(news["data"]) == (await wall.read(TALK)).version
