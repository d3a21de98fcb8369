"""Who Loupe is in a workspace, as a local `auth.test` tells."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession, web
from structlog.testing import capture_logs

from adapters.slack import workspaces
from adapters.slack.workspaces import OneWorkspace, UnknownTeam, WorkspaceUnknown
from tests.helpers.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "xoxb-not-a-real-one"
IDENTITY = {
    "ok": True,
    "url": "https://acme.slack.com/",
    "team_id": "T1",
    "user_id": "UBOT",
    "bot_id": "B1",
}


class AuthServer:
    """Answers `auth.test` with `answers` in turn, the last one for ever; `gate` holds it back."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.gate = asyncio.Event()
        self.gate.set()
        self.tokens: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.tokens.append(request.headers["Authorization"])
        await self.gate.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, str):
            return web.Response(text=answer, content_type="text/plain")
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="application/json")
        if isinstance(answer, int):
            return web.Response(status=answer, text="<html>no</html>", content_type="text/html")
        return web.json_response(answer)


@asynccontextmanager
async def asked(server: AuthServer) -> AsyncIterator[tuple[OneWorkspace, FakeClock]]:
    application = web.Application()
    application.add_routes([web.post("/api/auth.test", server.answer)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    clock = FakeClock()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/api"
    async with ClientSession() as session:
        one = OneWorkspace(url, TOKEN, session, clock)
        try:
            yield one, clock
        finally:
            server.gate.set()
            await one.stop()
            await runner.cleanup()


async def test_slack_tells_who_the_bot_is() -> None:
    server = AuthServer(IDENTITY)
    async with asked(server) as (one, _):
        await one.start()
        workspace = await one.of("T1")
    assert (workspace.team, workspace.url) == ("T1", "https://acme.slack.com/")
    assert (workspace.bot_user, workspace.bot_id, workspace.token) == ("UBOT", "B1", TOKEN)
    assert TOKEN not in repr(workspace)
    assert server.tokens == [f"Bearer {TOKEN}"]


async def test_another_team_is_unknown() -> None:
    async with asked(AuthServer(IDENTITY)) as (one, _):
        await one.start()
        for team in ("T2", ""):
            with pytest.raises(UnknownTeam):
                await one.of(team)


async def test_a_delivery_waits_a_little_for_the_first_answer() -> None:
    server = AuthServer(IDENTITY)
    server.gate.clear()
    async with asked(server) as (one, _):
        await one.start()
        lookup = asyncio.create_task(one.of("T1"))
        await asyncio.sleep(0)
        server.gate.set()
        assert (await lookup).team == "T1"


async def test_without_an_answer_it_has_to_be_delivered_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workspaces, "FIRST_WAIT_SECONDS", 0.01)
    server = AuthServer(IDENTITY)
    server.gate.clear()
    async with asked(server) as (one, _):
        await one.start()
        with pytest.raises(WorkspaceUnknown):
            await one.of("T1")


async def test_slack_is_asked_until_it_answers() -> None:
    refusal = {"ok": False, "error": "invalid_auth"}
    server = AuthServer(502, refusal, {"ok": True}, 200, IDENTITY)
    async with asked(server) as (one, clock):
        with capture_logs() as logs:
            await one.start()
            assert (await one.of("T1")).team == "T1"
    assert clock.waits == [1, 2, 4, 8]
    assert [line["event"] for line in logs] == [
        "slack_token_refused",
        "slack_token_refused",
        "slack_workspace_unnamed",
        "slack_token_refused",
        "slack_workspace_found",
    ]
    assert logs[1]["error"] == "invalid_auth"
    assert TOKEN not in str(logs)


@pytest.mark.parametrize("nonsense", ["plain words", b'{"ok": tr', b"[]", b"7"])
async def test_an_answer_that_is_none_is_asked_for_again(nonsense: str | bytes) -> None:
    async with asked(AuthServer(nonsense, IDENTITY)) as (one, clock):
        await one.start()
        assert (await one.of("T1")).team == "T1"
    assert clock.waits == [1]


async def test_a_server_that_is_away_is_asked_again() -> None:
    clock = FakeClock()
    async with ClientSession() as session:
        one = OneWorkspace("http://127.0.0.1:1/api", TOKEN, session, clock)
        with capture_logs() as logs:
            await one.start()
            while len(clock.waits) < 8:
                await asyncio.sleep(0.01)
            await one.stop()
    assert clock.waits[:8] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert {line["event"] for line in logs} == {"slack_unreachable"}


async def test_what_never_began_can_be_stopped() -> None:
    async with asked(AuthServer(IDENTITY)) as (one, _):
        await one.stop()
