"""Socket Mode against a local server that opens connections and sends envelopes as Slack does."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import WSMsgType, web
from pydantic import SecretStr, TypeAdapter
from structlog.testing import capture_logs

from adapters.slack import socket_mode as socket
from adapters.slack.settings import SlackSettings
from adapters.slack.socket_mode import SocketMode
from bot import strings as texts
from bot.domain.messages import Message
from tests.helpers.slack_payloads import (
    SlackReceiver,
    button,
    event_callback,
    message_event,
    photo,
    shortcut,
    slash,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

EVENT = ("events_api", event_callback(message_event()))
EVERY = [
    EVENT,
    ("slash_commands", dict(slash("model"))),
    ("interactive", button()),
    ("interactive", shortcut()),
]


class SocketServer:
    """Slack's side: `apps.connections.open`, and the WebSockets that it leads to.

    `refusals` are errors that the next openings get; the next `expired_links` links lead nowhere.
    """

    def __init__(self) -> None:
        self.url = ""
        self.sockets: list[web.WebSocketResponse] = []
        self.tickets: list[str] = []
        self.tokens: list[str] = []
        self.refusals: list[str] = []
        self.expired_links = 0
        self.acks: dict[str, Any] = {}
        self._changes = asyncio.Condition()
        self._deliveries = 0

    def routes(self) -> list[web.RouteDef]:
        opening = web.post("/api/apps.connections.open", self.open)
        return [opening, web.get("/link/{ticket}", self.link)]

    async def open(self, request: web.Request) -> web.Response:
        self.tokens.append(request.headers.get("Authorization", ""))
        if self.refusals:
            return web.json_response({"ok": False, "error": self.refusals.pop(0)})
        self.tickets.append(f"ticket{len(self.tickets)}")
        link = f"{self.url.replace('http', 'ws')}/link/{self.tickets[-1]}"
        return web.json_response({"ok": True, "url": link})

    async def link(self, request: web.Request) -> web.StreamResponse:
        if self.expired_links:
            self.expired_links -= 1
            return web.Response(status=404)
        connection = web.WebSocketResponse()
        await connection.prepare(request)
        await connection.send_json({"type": "hello", "num_connections": 1})
        async with self._changes:
            self.sockets.append(connection)
            self._changes.notify_all()
        async for frame in connection:
            if frame.type is WSMsgType.TEXT:
                await self._acknowledged(json.loads(frame.data))
        return connection

    async def _acknowledged(self, ack: dict[str, Any]) -> None:
        async with self._changes:
            self.acks[ack.pop("envelope_id")] = ack
            self._changes.notify_all()

    async def connected(self, count: int = 1) -> web.WebSocketResponse:
        """Wait for the connection with that number."""
        async with asyncio.timeout(5), self._changes:
            await self._changes.wait_for(lambda: len(self.sockets) >= count)
        return self.sockets[count - 1]

    async def send(self, kind: str, payload: Any, **more: Any) -> str:
        """Send an envelope through the newest connection; returns its id."""
        self._deliveries += 1
        envelope = {
            "envelope_id": f"e{self._deliveries}",
            "type": kind,
            "payload": payload,
            **more,
        }
        await self.sockets[-1].send_json(envelope)
        return str(envelope["envelope_id"])

    async def ack(self, envelope: str) -> Any:
        """Wait for the answer to an envelope."""
        async with asyncio.timeout(5), self._changes:
            await self._changes.wait_for(lambda: envelope in self.acks)
        return self.acks[envelope]


@asynccontextmanager
async def served() -> AsyncIterator[SocketServer]:
    server = SocketServer()
    application = web.Application()
    application.add_routes(server.routes())
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        for connection in server.sockets:
            await connection.close()
        await runner.cleanup()


@pytest.fixture
async def slack() -> AsyncIterator[SocketServer]:
    async with served() as server:
        yield server


@pytest.fixture
async def receiver() -> AsyncIterator[SlackReceiver]:
    receiver = SlackReceiver()
    yield receiver
    await receiver.close()


@pytest.fixture
async def line(
    slack: SocketServer, receiver: SlackReceiver, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SocketMode]:
    """The socket, brisker than in earnest; started by the test."""
    monkeypatch.setattr(socket, "PING_SECONDS", 0.2)
    monkeypatch.setattr(socket, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(socket, "DOWN_SECONDS", 0.6)
    settings = SlackSettings(
        bot_token=SecretStr("xoxb-1"),
        app_token=SecretStr("xapp-1-not-a-real-one"),
        api_url=f"{slack.url}/api",
    )
    line = SocketMode(settings, receiver.bot)
    yield line
    await line.stop()


async def until_alive(line: SocketMode, alive: bool = True) -> None:
    async with asyncio.timeout(5):
        while line.is_connected is not alive:
            await asyncio.sleep(0.01)


async def test_it_connects_with_the_app_token(slack: SocketServer, line: SocketMode) -> None:
    assert not line.is_connected
    await line.start()
    await slack.connected()
    await until_alive(line)
    assert slack.tokens == ["Bearer xapp-1-not-a-real-one"]
    await line.stop()
    assert not line.is_connected


@pytest.mark.parametrize(("kind", "payload"), EVERY)
async def test_an_envelope_is_acknowledged_once_it_is_stored(
    slack: SocketServer,
    receiver: SlackReceiver,
    line: SocketMode,
    kind: str,
    payload: dict[str, Any],
) -> None:
    receiver.inbox.gate = asyncio.Event()
    await line.start()
    await slack.connected()
    envelope = await slack.send(kind, payload)
    await asyncio.wait_for(receiver.inbox.arrival.wait(), 5)
    await asyncio.sleep(0.05)
    assert slack.acks == {}
    receiver.inbox.gate.set()
    assert await slack.ack(envelope) == {}
    assert receiver.inbox.message.id


@pytest.mark.parametrize(("kind", "payload"), EVERY)
async def test_no_ack_while_the_store_is_down(
    slack: SocketServer,
    receiver: SlackReceiver,
    line: SocketMode,
    kind: str,
    payload: dict[str, Any],
) -> None:
    receiver.inbox.down = True
    await line.start()
    await slack.connected()
    response = await slack.send(kind, payload)
    await asyncio.wait_for(receiver.inbox.arrival.wait(), 5)
    await slack.ack(await slack.send("interactive", {"type": "view_closed"}))
    assert response not in slack.acks
    receiver.inbox.down = False
    again = await slack.send(kind, payload, retry_attempt=1, retry_reason="timeout")
    assert await slack.ack(again) == {}
    assert receiver.inbox.message.id


async def test_no_ack_before_slack_told_who_we_are(
    slack: SocketServer, receiver: SlackReceiver, line: SocketMode
) -> None:
    receiver.workspaces.workspace = None
    await line.start()
    await slack.connected()
    early = await slack.send(*EVENT)
    await slack.ack(await slack.send("interactive", {"type": "view_closed"}))
    assert early not in slack.acks


async def test_a_slash_command_may_be_answered_in_the_ack(
    slack: SocketServer, line: SocketMode
) -> None:
    await line.start()
    await slack.connected()
    envelope = await slack.send("slash_commands", dict(slash("forget")))
    assert await slack.ack(envelope) == {"payload": {"text": texts.SLASH_NEEDS_THREAD}}


@pytest.mark.parametrize("payload", [{}, {"type": "event_callback", "event": None}, "words"])
async def test_what_has_no_shape_is_not_asked_for_again(
    slack: SocketServer, receiver: SlackReceiver, line: SocketMode, payload: Any
) -> None:
    await line.start()
    await slack.connected()
    assert await slack.ack(await slack.send("events_api", payload)) == {}
    assert receiver.inbox.messages == []


@pytest.mark.parametrize("frame", ["", "garbage", "[1]", "{", '{"type": 5}', '{"payload": 1}'])
async def test_frames_of_no_use_are_survived(
    slack: SocketServer, receiver: SlackReceiver, line: SocketMode, frame: str
) -> None:
    await line.start()
    connection = await slack.connected()
    await connection.send_str(frame)
    await connection.send_json({"envelope_id": "x", "type": "events_api", "payload": [1]})
    assert await slack.ack(await slack.send(*EVENT)) == {}
    assert len(receiver.inbox.messages) == 1


async def test_when_slack_asks_for_a_new_connection_there_is_one(
    slack: SocketServer, receiver: SlackReceiver, line: SocketMode
) -> None:
    await line.start()
    first = await slack.connected()
    await first.send_json({"type": "disconnect", "reason": "refresh_requested"})
    await slack.connected(2)
    assert await slack.ack(await slack.send(*EVENT)) == {}
    assert first.closed


async def test_a_cut_connection_is_replaced(
    slack: SocketServer, receiver: SlackReceiver, line: SocketMode
) -> None:
    await line.start()
    first = await slack.connected()
    await first.close()
    await slack.connected(2)
    assert await slack.ack(await slack.send(*EVENT)) == {}


async def test_an_address_that_leads_nowhere_is_not_tried_for_ever(
    slack: SocketServer, line: SocketMode
) -> None:
    slack.expired_links = 4
    with capture_logs() as logs:
        await line.start()
        await slack.connected()
        await until_alive(line)
    assert len(slack.tickets) > 1
    assert "slack_socket_down" in {entry["event"] for entry in logs}
    assert "ticket" not in str(logs)


async def test_whatever_a_client_fails_with_another_takes_its_place(
    slack: SocketServer, receiver: SlackReceiver, line: SocketMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [RuntimeError("nobody foresaw this")]

    class Faulty(socket._Client):
        async def is_connected(self) -> bool:
            if faults:
                raise faults.pop()
            return await super().is_connected()

    monkeypatch.setattr(socket, "_Client", Faulty)
    with capture_logs() as logs:
        await line.start()
        await until_alive(line)
    assert "slack_socket_failed" in {entry["event"] for entry in logs}
    assert await slack.ack(await slack.send(*EVENT)) == {}


async def test_the_operator_is_told_why_there_is_no_connection(
    slack: SocketServer, line: SocketMode
) -> None:
    slack.refusals = ["invalid_auth", "internal_error"]
    with capture_logs() as logs:
        await line.start()
        await slack.connected()
        await until_alive(line)
    refusals = [entry for entry in logs if entry["event"] == "slack_socket_refused"]
    assert [entry["error"] for entry in refusals] == ["invalid_auth", "internal_error"]
    assert "xapp" not in str(logs)


async def test_many_at_once_are_all_acknowledged(
    slack: SocketServer, receiver: SlackReceiver, line: SocketMode
) -> None:
    await line.start()
    await slack.connected()
    posts = [event_callback(message_event(ts=f"17000000{n:02d}.000100")) for n in range(50)]
    envelopes = [await slack.send("events_api", post) for post in posts]
    for envelope in envelopes:
        assert await slack.ack(envelope) == {}
    assert len(receiver.inbox.messages) == 50


async def test_halves_of_characters_can_be_stored(
    slack: SocketServer, receiver: SlackReceiver, line: SocketMode
) -> None:
    await line.start()
    await slack.connected()
    cut = {**photo(), "name": "holiday \ud83d"}
    payload = event_callback(message_event("what \ud83d", files=[cut], thread_ts="1.\ud800"))
    assert await slack.ack(await slack.send("events_api", payload)) == {}
    assert TypeAdapter(Message).dump_json(receiver.inbox.message)
    assert receiver.inbox.message.attachments[0].name == "holiday ?"


async def test_nothing_runs_on_after_the_end(slack: SocketServer, line: SocketMode) -> None:
    before = asyncio.all_tasks()
    await line.start()
    connection = await slack.connected()
    await until_alive(line)
    await line.stop()
    async with asyncio.timeout(5):
        while not connection.closed or asyncio.all_tasks() - before:
            await asyncio.sleep(0.01)
    await line.stop()


async def test_what_never_began_can_be_stopped(line: SocketMode) -> None:
    await line.stop()


def test_without_an_app_token_there_is_no_socket() -> None:
    settings = SlackSettings(bot_token=SecretStr("xoxb-1"), signing_secret=SecretStr("s"))
    with pytest.raises(ValueError, match="app token"):
        SocketMode(settings, SlackReceiver().bot)
