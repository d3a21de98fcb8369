"""What Slack delivers is kept before it is acknowledged, and answered once whatever breaks."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot import strings as texts
from tests.helpers.running_bot import run_bot
from tests.helpers.serve_process import ServeProcess
from tests.helpers.slack_payloads import SECRET, event_callback, message_event
from tests.helpers.slack_workspace import CAR, SlackWorkspace, open_workspace
from tests.servers.openai import KEY, Hang, OpenAIServer, say
from tests.servers.redis_server import ENGINES, RedisServer, find_engine
from tests.servers.slack import APP_TOKEN, TOKEN, SlackServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

WAYS = ["http", "socket"]


@pytest.fixture
def store() -> Iterator[RedisServer]:
    server = RedisServer(next(filter(find_engine, ENGINES))).start()
    yield server
    server.stop()


def hello(slack: SlackServer, text: str = "What is this?") -> dict[str, Any]:
    """The delivery of a direct message."""
    return event_callback(message_event(text, channel="D1", ts=slack.stamp()))


@pytest.mark.parametrize("way", WAYS)
async def test_while_the_store_is_down_slack_is_to_deliver_again(
    tmp_path: Path, store: RedisServer, way: str
) -> None:
    async with open_workspace(tmp_path, socket=way == "socket", redis_url=store.url) as workspace:
        assert await workspace.ask("Hello")
        store.kill()
        payload = hello(workspace.slack)
        assert await workspace.deliver(payload) == 503
        store.start()
        again = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_error"}
        assert await workspace.deliver(payload, **again) == 200
        await workspace.answered(payload["event"]["ts"])
        assert await workspace.deliver(payload, **again) == 200
        await workspace.bot.settled()
        assert len(workspace.bot.model.requests) == len(workspace.slack.messages) == 2


@pytest.fixture
async def wired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlackWorkspace]:
    monkeypatch.setattr("adapters.slack.socket_mode.PING_SECONDS", 1.0)
    monkeypatch.setattr("adapters.slack.socket_mode.CHECK_SECONDS", 0.5)
    async with open_workspace(tmp_path, socket=True) as workspace:
        yield workspace


async def test_a_socket_that_slack_refreshes_loses_nothing(wired: SlackWorkspace) -> None:
    assert await wired.ask("Hello")
    await wired.slack.sockets.refresh()
    await wired.slack.until(lambda: wired.slack.sockets.connections == 2)
    assert await wired.ask("And now?")


async def test_a_socket_that_breaks_amid_an_answer_is_opened_anew(wired: SlackWorkspace) -> None:
    hold = asyncio.Event()
    wired.bot.model.then(say("Three ", hold, "apples."))
    thread = await wired.say("How many?")
    await wired.slack.until(lambda: any("Three" in one.text for one in wired.slack.messages))
    await wired.slack.sockets.cut()
    hold.set()
    assert (await wired.answered(thread))[0].text == "Three apples."
    await wired.slack.until(lambda: wired.slack.sockets.connections == 2, 30)
    assert await wired.ask("And now?")


async def test_an_envelope_that_comes_again_is_acknowledged_and_answered_once(
    wired: SlackWorkspace,
) -> None:
    payload = hello(wired.slack)
    for attempt in range(3):
        assert await wired.slack.send(payload, attempt)
    await wired.answered(payload["event"]["ts"])
    assert len(wired.bot.model.requests) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_a_question_under_way_is_answered_in_its_message_after_a_restart(
    tmp_path: Path, way: str
) -> None:
    how: dict[str, Any] = {"registered": False, "socket": way == "socket"}
    how["limits"] = {"shutdown_seconds": 0.1}
    async with SlackServer() as slack:
        async with run_bot(tmp_path, slack=slack, **how) as bot:
            workspace = SlackWorkspace(bot, slack, socket=way == "socket")
            bot.model.then(Hang())
            thread = await workspace.say("What is this?", slack.file(CAR))
            await bot.model.until_asked()
        async with run_bot(tmp_path, slack=slack, **how) as bot:
            (answer,) = await SlackWorkspace(bot, slack, socket=True).answered(thread)
        assert answer.was_streamed
        assert not answer.streaming


@pytest.mark.parametrize("way", WAYS)
async def test_who_is_killed_amid_a_stream_has_it_ended_by_another(
    tmp_path: Path, store: RedisServer, way: str
) -> None:
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(OpenAIServer())
        slack = await stack.enter_async_context(SlackServer())
        session = await stack.enter_async_context(aiohttp.ClientSession())
        settings = {
            "REDIS_URL": store.url,
            "OPENAI_BASE_URL": f"{model.url}/v1",
            "OPENAI_API_KEY": KEY,
            "OPENAI_MODEL": "gpt-test",
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": TOKEN,
            "LOUPE_HOST": "127.0.0.1",
            "LOUPE_LEASE_SECONDS": 2,
            "LOUPE_CHILDREN": 1,
        }
        how = (
            {"SLACK_APP_TOKEN": APP_TOKEN} if way == "socket" else {"SLACK_SIGNING_SECRET": SECRET}
        )
        model.then(say("Three ", asyncio.Event()), say("Three apples."))
        first = await stack.enter_async_context(ServeProcess(tmp_path, **settings, **how))
        payload = hello(slack)
        if way == "socket":
            assert await slack.send(payload)
        else:
            origin = first.url.removesuffix("/api/messages")
            assert await slack.deliver(session, origin, payload) == 200
        await slack.until(lambda: any("Three" in one.text for one in slack.messages))
        await first.end(signal.SIGKILL)
        second = await stack.enter_async_context(ServeProcess(tmp_path, **settings, **how))
        await slack.until(lambda: "apples" in slack.messages[0].text, 40)
        await slack.until(lambda: slack.messages[0].blocks, 20)
        await second.end(signal.SIGTERM)
        (answer,) = slack.messages
        assert answer.text == f"Three\n\n{texts.RESUME_NOTICE}\n\nThree apples."
        assert not answer.streaming
        assert slack.alarms == []
