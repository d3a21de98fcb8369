"""Deliveries: accepted before they are answered, answered once, and by whom they may come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bot import strings as texts
from bot.retry import Backoff
from tests.helpers.running_bot import run_bot
from tests.servers.openai import Hang, say
from tests.servers.redis_server import ENGINES, RedisServer, find_engine
from tests.servers.teams import TeamsServer
from tests.servers.teams_services import APP_ID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.helpers.running_bot import RunningBot

pytestmark = pytest.mark.asyncio(loop_scope="session")
ANSWER = "A red car with the plate KRW 301."


async def status_of(bot: RunningBot, path: str) -> int:
    async with bot.session.get(f"{bot.origin}{path}") as response:
        return response.status


async def test_a_delivery_is_accepted_before_it_is_answered(bot: RunningBot) -> None:
    chat, gate = bot.group(), asyncio.Event()
    bot.model.then(say(gate, "At last."))
    async with asyncio.timeout(5):
        await chat.post("What is this?", bot.photo("fruits.jpg"))
    await bot.model.until_asked()
    assert "At last." not in chat.texts
    gate.set()
    await bot.settled()
    assert chat.texts == ["At last."]


async def test_what_is_delivered_again_is_answered_once(bot: RunningBot) -> None:
    chat = bot.personal()
    activity = chat.activity("What is this?", bot.photo("fruits.jpg"))
    for _ in range(3):
        assert await bot.deliver(activity) == 202
    await bot.settled()
    assert await bot.deliver(activity) == 202
    await bot.settled()
    assert chat.texts == [ANSWER]
    assert len(bot.model.requests) == 1


async def test_what_is_delivered_many_times_at_once_is_answered_once(bot: RunningBot) -> None:
    chat = bot.group()
    activity = chat.activity("What is this?", bot.photo("fruits.jpg"))
    statuses = await asyncio.gather(*(bot.deliver(activity) for _ in range(20)))
    await bot.settled()
    assert set(statuses) == {202}
    assert chat.texts == [ANSWER]
    assert len(bot.model.requests) == 1


async def test_equal_ids_in_other_conversations_are_other_messages(registered: RunningBot) -> None:
    chats = [registered.group(), registered.group(), registered.group(tenant="another-tenant")]
    for chat in chats:
        assert await registered.deliver(chat.activity("Hello", id="1")) == 202
    await registered.settled()
    assert [chat.texts for chat in chats] == [[ANSWER]] * 3


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """A store that tests may kill."""
    engine = getattr(request, "param", "redis-server")
    if find_engine(engine) is None:
        pytest.skip(f"{engine} is not installed")
    server = RedisServer(engine).start()
    yield server
    server.stop()


@pytest.mark.parametrize("server", ENGINES, indirect=True)
async def test_while_the_store_is_down_messages_are_to_be_delivered_again(
    tmp_path: Path, server: RedisServer
) -> None:
    async with run_bot(tmp_path, redis_url=server.url) as bot:
        chat = bot.group()
        assert await chat.ask("Hello") == ANSWER
        server.kill()
        activity = chat.activity("What is this?")
        assert await bot.deliver(activity) == 503
        assert (await status_of(bot, "/healthz"), await status_of(bot, "/readyz")) == (200, 503)
        server.start()
        statuses = await asyncio.gather(*(bot.deliver(activity) for _ in range(3)))
        assert set(statuses) == {202}
        await bot.settled()
        assert chat.texts == [ANSWER, ANSWER]
        assert await status_of(bot, "/readyz") == 200


async def test_a_question_under_way_is_answered_once_after_a_restart(tmp_path: Path) -> None:
    limits = {"shutdown_seconds": 0.1}
    async with TeamsServer(authorize=True) as teams:
        async with run_bot(tmp_path, limits=limits, teams=teams) as bot:
            chat = bot.group()
            bot.model.then(Hang())
            await chat.post("What is this?", bot.photo("fruits.jpg"))
            await bot.model.until_asked()
        async with run_bot(tmp_path, limits=limits, teams=teams) as bot:
            await bot.settled()
            assert len(bot.model.requests) == 1
        assert chat.texts == [ANSWER]


async def test_two_replicas_answer_once_and_stop_each_other(
    tmp_path: Path, server: RedisServer
) -> None:
    async with (
        TeamsServer(authorize=True) as teams,
        run_bot(tmp_path, redis_url=server.url, teams=teams) as one,
        run_bot(tmp_path, redis_url=server.url, teams=teams) as two,
    ):
        chat = one.group()
        activity = chat.activity("What is this?", one.photo("fruits.jpg"))
        statuses = await asyncio.gather(*(bot.deliver(activity) for bot in (one, two) * 5))
        await one.settled()
        assert set(statuses) == {202}
        assert chat.texts == [ANSWER]
        assert len(one.model.requests) + len(two.model.requests) == 1
        for bot in (one, two):
            bot.model.then(say("A red car. ", asyncio.Event()))
        await chat.post("And now?")
        await chat.until("A red car.")
        idle, busy = sorted((one, two), key=lambda bot: bot.model.open_streams)
        assert await idle.deliver(chat.activity("/stop")) == 202
        await busy.model.until_closed(1)
        await one.settled()
        assert chat.texts[1:] == [f"A red car.\n\n{texts.STOPPED_HERE}", texts.STOPPING]


CLAIMS: dict[str, dict[str, Any]] = {
    "no token": {},
    "for another bot": {"audience": "another-app"},
    "of another service": {"service_url": "https://smba.trafficmanager.net/emea/"},
    "of another issuer": {"iss": "https://sts.windows.net/1/"},
    "expired": {"exp": 1},
}


@pytest.mark.parametrize("claims", CLAIMS)
async def test_who_cannot_prove_to_be_the_service_is_refused(
    registered: RunningBot, claims: str
) -> None:
    assert registered.openid
    chat, before = registered.group(), await registered.stored()
    token_claims = {"audience": APP_ID, "service_url": registered.teams.url, **CLAIMS[claims]}
    headers = {"Authorization": f"Bearer {registered.openid.token(**token_claims)}"}
    async with registered.session.post(
        f"{registered.origin}/api/messages",
        json=chat.activity("Hello"),
        headers=headers if CLAIMS[claims] else {},
    ) as response:
        assert response.status == 401
    assert await registered.stored() == before


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"type": "message"}', b"\xff\xfe"])
async def test_what_is_no_activity_is_refused(playground: RunningBot, body: bytes) -> None:
    async with playground.session.post(
        f"{playground.origin}/api/messages",
        data=body,
        headers={"Content-Type": "application/json"},
    ) as response:
        assert response.status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"X-Forwarded-For": "203.0.113.7"},
        {"Host": "loupe.example.com"},
    ],
)
async def test_the_playground_mode_serves_only_this_machine(
    playground: RunningBot, headers: dict[str, str]
) -> None:
    chat = playground.group()
    async with playground.session.post(
        f"{playground.origin}/api/messages", json=chat.activity("Hello"), headers=headers
    ) as response:
        assert response.status == 403


async def test_an_address_that_is_no_connector_is_never_answered(bot: RunningBot) -> None:
    chat = bot.group()
    activity = chat.activity("Hello", serviceUrl="https://example.com/")
    assert await bot.deliver(activity) == 401
    assert bot.teams.requests == []


async def test_a_question_that_failed_for_an_unforeseen_reason_is_given_up_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.queue.worker.BACKOFF", Backoff(first=0.01, longest=0.01))
    async with run_bot(tmp_path, limits={"max_attempts": 1}) as bot:
        chat = bot.group()
        monkeypatch.setattr("bot.turn.request.build", lambda *_: 1 / 0)
        await chat.ask("What is this?")
        monkeypatch.undo()
        assert chat.texts == [texts.GIVEN_UP]
        assert await chat.ask("And now?") == ANSWER
