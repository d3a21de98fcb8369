"""Fixtures shared by several test files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import settings

from adapters.redis.connection import connect
from adapters.redis.settings import RedisSettings
from adapters.slack import web_api as api
from adapters.teams import connector
from adapters.teams import streaming as streams
from tests.helpers.browser import launch_browser, open_page
from tests.helpers.channel_setups import ChannelSetups
from tests.helpers.running_bot import RunningBots
from tests.helpers.slack_workspace import SlackWorkspaces
from tests.servers.openid import OpenIdServer
from tests.servers.page import serve
from tests.servers.redis_server import ENGINES, RedisServer, find_engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from playwright.async_api import Browser, Page
    from redis.asyncio import Redis

    from tests.helpers.running_bot import RunningBot
    from tests.servers.page import ServedPage

# One commit gives one result: the same examples each time, however slow the machine is.
# `pytest --hypothesis-profile=search` looks for new ones.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def redis_servers() -> Iterator[dict[str, RedisServer]]:
    """Servers started so far in this test run, by engine."""
    servers: dict[str, RedisServer] = {}
    yield servers
    for server in servers.values():
        server.stop()


def shared_server(servers: dict[str, RedisServer], engine: str) -> RedisServer:
    """Return the running server of an engine, started at its first use."""
    if find_engine(engine) is None:
        pytest.skip(f"{engine} is not installed")
    if engine not in servers:
        servers[engine] = RedisServer(engine).start()
    return servers[engine]


@pytest.fixture(params=ENGINES)
def redis_url(request: pytest.FixtureRequest, redis_servers: dict[str, RedisServer]) -> str:
    """The address of a real server of each engine; see `redis_client` for an empty one."""
    return shared_server(redis_servers, request.param).url


@pytest.fixture(params=[*ENGINES, "fakeredis"])
async def redis_client(
    request: pytest.FixtureRequest, redis_servers: dict[str, RedisServer]
) -> AsyncIterator[Redis]:
    """An empty store of each kind that Loupe runs on, as `connect` makes it."""
    if request.param == "fakeredis":
        client: Redis = FakeAsyncRedis(server=FakeServer(), protocol=2, decode_responses=True)
    else:
        server = shared_server(redis_servers, request.param)
        client = connect(server.url, RedisSettings())
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
async def openid() -> AsyncIterator[OpenIdServer]:
    """The Bot Framework's key server; signs tokens too."""
    async with OpenIdServer() as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser of all tests; they need the session's event loop."""
    async with launch_browser() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def page_store() -> AsyncIterator[Redis]:
    """An empty store for pages in the browser."""
    client = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
    yield client
    await client.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def page_server(page_store: Redis, tmp_path: Path) -> AsyncIterator[ServedPage]:
    """The local page with a scripted bot behind it."""
    async with serve(page_store, tmp_path) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="session")
async def tab(chromium: Browser, page_server: ServedPage) -> AsyncIterator[Page]:
    """The local page in the browser."""
    async with open_page(chromium, page_server) as page:
        yield page


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bots(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningBots]:
    """The bots of all tests; they need the session's event loop."""
    async with RunningBots(tmp_path_factory.mktemp("bots")) as bots:
        yield bots


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def channel_setups(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ChannelSetups]:
    """The channels that the same conversations are held on; see `tests.helpers.conversation`."""
    async with ChannelSetups(tmp_path_factory.mktemp("channel_setups")) as channel_setups:
        yield channel_setups


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def workspaces(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SlackWorkspaces]:
    """The workspaces of Slack that tests share; they need the session's event loop."""
    async with SlackWorkspaces(tmp_path_factory.mktemp("workspaces")) as workspaces:
        yield workspaces


@pytest.fixture
def fast_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test wait for the rates of Teams and Slack; tests of these rates do without it."""
    monkeypatch.setattr(connector, "RATES", ((1000, 1.0),))
    monkeypatch.setattr(streams, "GAP", 0.01)
    monkeypatch.setattr(api, "RATES", dict.fromkeys(api.RATES, ((1000, 1.0),)))


@pytest_asyncio.fixture(loop_scope="session", params=["registered", "playground"])
async def bot(request: pytest.FixtureRequest, bots: RunningBots, fast_rates: None) -> RunningBot:
    """The bot on each kind of store and in each mode."""
    return await bots.get(request.param)


@pytest_asyncio.fixture(loop_scope="session")
async def registered(bots: RunningBots, fast_rates: None) -> RunningBot:
    """The bot as it runs in Teams."""
    return await bots.get("registered")


@pytest_asyncio.fixture(loop_scope="session")
async def playground(bots: RunningBots, fast_rates: None) -> RunningBot:
    """The bot without credentials, which serves programs on this machine."""
    return await bots.get("playground")


@pytest_asyncio.fixture(loop_scope="session")
async def video_bot(bots: RunningBots, fast_rates: None) -> RunningBot:
    """The bot with room for many frames of videos, and with ears."""
    return await bots.get("video_bot")
