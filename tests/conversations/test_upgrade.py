"""The whole bot opens what 0.4.0 left behind, and answers everybody who still waits.

`tests/data/SOURCES.md` tells what that is; `tests/adapters/redis/test_upgrade.py` reads its parts
and says what a failure means.
"""

from __future__ import annotations

import base64
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from adapters.redis.connection import connect
from adapters.redis.settings import RedisSettings
from tests.data import read_store
from tests.helpers.running_bot import run_bot
from tests.helpers.teams_chat import Chat
from tests.helpers.transcripts import full_transcript
from tests.servers.openai import say
from tests.servers.redis_server import ENGINES, RedisServer, find_engine
from tests.servers.slack import SlackMessage, SlackServer
from tests.servers.teams import TeamsServer
from tests.servers.teams_chats import TeamsMessage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.data import StoredData
    from tests.helpers.running_bot import RunningBot

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def store() -> Iterator[RedisServer]:
    server = RedisServer(next(filter(find_engine, ENGINES))).start()
    yield server
    server.stop()


@asynccontextmanager
async def upgraded(
    store: RedisServer, folder: Path, teams: TeamsServer, slack: SlackServer
) -> AsyncIterator[tuple[RunningBot, StoredData]]:
    """Run the bot on the store of 0.4.0, on platforms that still show its last messages."""
    data = read_store(teams=teams.host, slack=slack.url)
    data.restore_media(folder / "media")
    redis = connect(store.url, RedisSettings())
    await data.restore(redis)
    await redis.aclose()
    for conversation, posts in data.teams_posts.items():
        messages = [TeamsMessage(name, {}, texts) for name, texts in posts]
        teams.chats.messages[conversation] += messages
    for key, (picture, kind) in data.teams_files.items():
        teams.drive._files[key] = (base64.b64decode(picture), kind)
    for ts, channel, thread, texts, streaming, is_stream, readers in data.slack_posts:
        message = SlackMessage(
            ts, channel, thread, texts, streaming=streaming, was_streamed=is_stream
        )
        message.readers = tuple(readers)
        slack.messages.append(message)
    limits = {"retention_days": 3650, "burst_seconds": 0.2}
    async with run_bot(folder, redis_url=store.url, teams=teams, slack=slack, limits=limits) as bot:
        yield bot, data


async def test_a_store_of_0_4_0_is_opened_and_answered_from(
    store: RedisServer, tmp_path: Path
) -> None:
    async with (
        TeamsServer(authorize=True) as teams,
        SlackServer() as slack,
        upgraded(store, tmp_path, teams, slack) as (bot, data),
    ):
        await bot.settled()
        personal = teams.texts(data.where["personal"])
        assert len(personal) == 2
        assert all("A red car" in text for text in personal)
        assert teams.texts(data.where["undelivered"]) == ["An answer that was not delivered."]
        answers = [one.text for one in slack.messages if one.thread == data.where["slack_waiting"]]
        assert sum("A red car" in text for text in answers) == 2
        assert await bot.redis.keys("loupe:*:dead") == []

        chat = Chat(bot, "groupChat", data.where["chat"])
        assert await full_transcript(chat) == data.transcript
        bot.model.then(say("Still a red car."))
        await chat.ask("What did I post first?")
        request = bot.model.requests[-1]
        assert request.body["model"] == "gpt-4o-mini"
        assert request.texts[0].startswith("Answer like a surveyor.")
        assert {"[P1]", "[P2]"} <= set(request.texts)
        assert "A red car [1] with the plate KRW 301." in request.texts
        assert "Still a red car." in chat.texts
