"""The Slack channel as a whole: it opens without waiting, and leaves nothing open."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession, web
from fakeredis import FakeAsyncRedis, FakeServer
from pydantic import SecretStr
from structlog.testing import capture_logs

from adapters.slack import workspaces
from adapters.slack.addresses import SLACK, TOP, thread_of
from adapters.slack.build import open_slack
from adapters.slack.settings import SlackLimits, SlackSettings
from bot.domain.messages import Attachment
from bot.domain.size_limits import SizeLimits
from bot.ports.channel import DeliveryRefused, Post
from bot.retry import Backoff, RetryPolicy
from bot.settings import Sections
from tests.helpers.channel_services import services_of
from tests.helpers.slack_payloads import (
    ALEX,
    CHANNEL,
    SECRET,
    TEAM,
    RecordingInbox,
    event_callback,
    message_event,
    slash,
)
from tests.helpers.slack_wire_server import address
from tests.servers.loopback import Loopback
from tests.servers.slack import APP_TOKEN, TOKEN, SlackServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from adapters.chat.declaration import RunningChannel

CONNECTIONS = ["http", "socket"]
EVENT = event_callback(message_event())


class ServedChannel(Loopback):
    """An open channel, its routes where Slack can call them, and what came in."""

    def __init__(
        self, slack: SlackServer, running_channel: RunningChannel, inbox: RecordingInbox, redis: Any
    ) -> None:
        super().__init__()
        self.slack = slack
        self.running_channel = running_channel
        self.inbox = inbox
        self.redis = redis

    async def deliver(self, payload: dict[str, Any]) -> bool:
        """Deliver as the channel receives, and return whether it was accepted."""
        if not self.running_channel.routes:
            return await self.slack.send(payload)
        async with ClientSession() as session:
            return await self.slack.deliver(session, self.url, payload) == 200


def settings(slack: SlackServer, connection: str) -> SlackSettings:
    secret = {"signing_secret": SecretStr(SECRET)}
    secrets = {"app_token": SecretStr(APP_TOKEN)} if connection == "socket" else secret
    return SlackSettings(bot_token=SecretStr(TOKEN), api_url=slack.api_url, **secrets)


@asynccontextmanager
async def opened(slack: SlackServer, connection: str = "http") -> AsyncIterator[ServedChannel]:
    inbox = RecordingInbox()
    redis = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
    sections = Sections([settings(slack, connection), SlackLimits()])
    async with open_slack(sections, services_of(inbox.accept, redis=redis)) as running_channel:
        workspace = ServedChannel(slack, running_channel, inbox, redis)
        app = web.Application()
        app.add_routes(running_channel.routes)
        await workspace.start(app)
        try:
            yield workspace
        finally:
            await workspace.__aexit__()
            await redis.aclose()


def _ours(before: set[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
    """Tasks begun since then that run code of ours or of Slack's library."""
    new_tasks = asyncio.all_tasks() - before
    files = {task: repr(task.get_coro()) + repr(task.get_stack(limit=1)) for task in new_tasks}
    return [task for task, file in files.items() if "/adapters/" in file or "slack_" in file]


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with SlackServer() as server:
        yield server
        assert server.alarms == []


@pytest.mark.parametrize("connection", CONNECTIONS)
async def test_what_people_write_comes_in_and_is_answered(
    slack: SlackServer, connection: str
) -> None:
    async with opened(slack, connection) as workspace:
        assert await workspace.deliver(EVENT)
        message = workspace.inbox.message
        assert message.thread.channel == workspace.running_channel.channel.name == SLACK
        await workspace.running_channel.channel.post(message.address, Post("A red car."))
    assert [message.text for message in slack.messages] == ["A red car."]


@pytest.mark.parametrize("connection", CONNECTIONS)
async def test_who_wrote_where_is_remembered_for_commands(
    slack: SlackServer, connection: str
) -> None:
    async with opened(slack, connection) as workspace:
        assert await workspace.deliver(EVENT)
        assert await workspace.deliver(slash("photos"))
        _, command = workspace.inbox.messages
    assert (command.text, command.thread) == (
        "/photos",
        thread_of(TEAM, CHANNEL, workspace.inbox.messages[0].id),
    )
    assert command.thread.root != TOP


async def test_slack_is_told_that_a_store_is_down(slack: SlackServer) -> None:
    async with opened(slack) as workspace:
        workspace.inbox.down = True
        assert not await workspace.deliver(EVENT)


async def test_with_an_app_token_nothing_comes_by_http(slack: SlackServer) -> None:
    async with opened(slack, "socket") as workspace, ClientSession() as session:
        assert not workspace.running_channel.routes
        assert await slack.deliver(session, workspace.url, EVENT) == 404
    assert workspace.inbox.messages == []


async def test_without_an_app_token_no_socket_is_opened(slack: SlackServer) -> None:
    async with opened(slack) as workspace:
        assert await workspace.deliver(EVENT)
    assert "apps.connections.open" not in slack.calls


async def test_files_come_from_slack_and_go_there(slack: SlackServer, tmp_path: Path) -> None:
    file = slack.file(b"jpeg")
    async with opened(slack) as workspace:
        assert await workspace.deliver(EVENT)
        channel = workspace.running_channel.channel
        attachment = Attachment("a", "", {"id": file["id"], "url": file["url_private"]})
        await channel.fetch(address(), attachment, tmp_path / "a", SizeLimits(99, 99))
        await channel.send_file(address(), "a.json", "application/json", b"[]")
    assert (tmp_path / "a").read_bytes() == b"jpeg"
    assert slack.uploads == [("1.0000", "a.json", b"[]")]


async def test_it_opens_while_slack_is_away_and_finds_it_later(
    slack: SlackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspaces, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(workspaces, "RETRY_POLICY", RetryPolicy(backoff=Backoff(0.01)))
    slack.errors["auth.test"] = ["internal_error"] * 1000
    async with opened(slack) as workspace:
        assert not await workspace.deliver(EVENT)
        with pytest.raises(DeliveryRefused):
            await workspace.running_channel.channel.post(address(), Post("Hello"))
        slack.errors.clear()
        await slack.until(lambda: slack.calls[-1] == "auth.test" and not slack.errors)
        async with asyncio.timeout(5):
            while not await workspace.deliver(EVENT):
                pass
    assert workspace.inbox.message.author.id == ALEX


@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize("away", [False, True])
async def test_nothing_is_left_open(slack: SlackServer, connection: str, away: bool) -> None:
    """An unclosed session or socket would be a warning, which is an error here."""
    if away:
        slack.errors = {"auth.test": ["invalid_auth"], "apps.connections.open": ["invalid_auth"]}
    before = asyncio.all_tasks()
    async with opened(slack, connection) as workspace:
        if not away:
            assert await workspace.deliver(EVENT)
    gc.collect()
    assert _ours(before) == []


async def test_a_room_that_fails_while_it_is_open_is_closed_too(slack: SlackServer) -> None:
    before = asyncio.all_tasks()
    with pytest.raises(ZeroDivisionError):
        async with opened(slack):
            raise ZeroDivisionError
    assert _ours(before) == []


async def test_no_log_tells_a_token_or_what_people_write(
    slack: SlackServer, capfd: pytest.CaptureFixture[str]
) -> None:
    slack.errors["chat.postMessage"] = ["invalid_blocks"]
    with capture_logs() as logs:
        async with opened(slack) as workspace:
            assert await workspace.deliver(event_callback(message_event("words of a person")))
            assert await workspace.deliver(slash("photos"))
            with pytest.raises(DeliveryRefused):
                await workspace.running_channel.channel.post(address(), Post("words of Loupe"))
    output = f"{logs}{capfd.readouterr()}"
    assert "slack_failed" in output
    for secret in (TOKEN, SECRET, "words of a person", "words of Loupe", "hooks.slack.com"):
        assert secret not in output
