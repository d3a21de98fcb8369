"""The bot as a whole: it starts and stops cleanly, and tells where it is and whether it is well."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientConnectionError, ClientSession, CookieJar

from adapters.chat.declaration import Connection
from adapters.page.build import DECLARATION as PAGE
from bot import app
from bot import strings as texts
from bot.app_settings import Settings, read_settings
from bot.channels import ChannelDirectory
from bot.cli.doctor import checks
from bot.queue.worker import Worker
from bot.settings import SettingsError
from bot.settings_reader import lines
from tests.helpers.running_bot import RunningBot
from tests.helpers.serve_process import ServeProcess
from tests.servers.image_analysis import KEY as VISION_KEY
from tests.servers.image_analysis import ImageAnalysisServer
from tests.servers.openai import KEY, OpenAIServer, say
from tests.servers.redis_server import ENGINES, RedisServer, find_engine
from tests.servers.teams import TeamsServer
from tests.servers.teams_services import APP_ID, PASSWORD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.servers.openid import OpenIdServer

TENANT = "00000000-0000-4000-8000-000000000002"
REGISTERED = {
    "MicrosoftAppId": APP_ID,
    "MicrosoftAppPassword": PASSWORD,
    "MicrosoftAppTenantId": TENANT,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, for a bot on any free port."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORT", "0")
    monkeypatch.setenv("LOUPE_CHILDREN", "1")
    return tmp_path


@pytest.fixture
def store() -> Iterator[RedisServer]:
    server = RedisServer(next(filter(find_engine, ENGINES))).start()
    yield server
    server.stop()


def settings(monkeypatch: pytest.MonkeyPatch, **changes: str) -> Settings:
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    return read_settings()


def origin(line: str) -> str:
    """The address in the line that is printed at the start."""
    found = re.search(r"http://[^/\s]+", line)
    assert found, line
    return found[0]


async def status(url: str) -> int:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        return (await session.get(url)).status


async def until_status(url: str, wanted: int) -> None:
    async with asyncio.timeout(20):
        while await status(url) != wanted:
            await asyncio.sleep(0.05)


async def test_it_starts_serves_and_stops_with_nothing_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = []
    for _ in range(2):
        async with app.serving(settings(monkeypatch)) as line:
            assert re.fullmatch(r"Loupe is ready: http://127\.0\.0\.1:\d+/\?token=[\w-]+", line)
            assert await status(f"{origin(line)}/healthz") == 200
            assert await status(f"{origin(line)}/readyz") == 200
            assert await status(line.removeprefix("Loupe is ready: ")) == 200
            addresses.append(line)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        with pytest.raises(ClientConnectionError):
            await status(f"{origin(line)}/healthz")
    assert len({address.partition("token=")[2] for address in addresses}) == 1


async def test_it_is_not_ready_while_the_store_is_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch, store: RedisServer
) -> None:
    async with app.serving(settings(monkeypatch, REDIS_URL=store.url)) as line:
        await until_status(f"{origin(line)}/readyz", 200)
        store.kill()
        await until_status(f"{origin(line)}/readyz", 503)
        assert await status(f"{origin(line)}/healthz") == 200
        store.start()
        await until_status(f"{origin(line)}/readyz", 200)


async def test_it_is_not_ready_when_no_work_is_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.serving(settings(monkeypatch)) as line:
        monkeypatch.setattr(Worker, "alive", property(lambda _: False))
        assert await status(f"{origin(line)}/readyz") == 503


async def test_a_port_in_use_stops_the_start_in_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"^Port {port} on 127\.0\.0\.1 cannot be used "):
            async with app.serving(settings(monkeypatch, PORT=str(port))):
                pass
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_data_folder_that_cannot_be_written_to_stops_the_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").touch()
    with pytest.raises(SettingsError, match=r"^LOUPE_DATA has the value 'file/data', "):
        async with app.serving(settings(monkeypatch, LOUPE_DATA="file/data")):
            pass


@pytest.mark.parametrize(
    ("changes", "host", "page"),
    [
        ({}, "127.0.0.1", True),
        ({"LOUPE_HOST": "0.0.0.0"}, "0.0.0.0", True),
        ({"LOUPE_PAGE": "off"}, "127.0.0.1", False),
        (REGISTERED, "0.0.0.0", False),
        ({**REGISTERED, "LOUPE_HOST": "::1"}, "::1", False),
        ({**REGISTERED, "LOUPE_PAGE": "on"}, "0.0.0.0", True),
    ],
)
def test_without_credentials_it_is_for_this_machine_and_has_the_page(
    folder: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], host: str, page: bool
) -> None:
    read = settings(monkeypatch, **changes)
    assert read.host == host
    assert (read.channels.connection(PAGE) is Connection.LOCAL) is page


async def test_with_credentials_it_serves_the_channel_and_no_page(
    folder: Path, monkeypatch: pytest.MonkeyPatch, openid: OpenIdServer
) -> None:
    changes = {**REGISTERED, "LOUPE_HOST": "127.0.0.1", "LOUPE_OPENID_URL": openid.url}
    async with app.serving(settings(monkeypatch, **changes)) as line:
        assert re.fullmatch(r"Loupe is ready at http://127\.0\.0\.1:\d+/api/messages", line)
        assert await status(f"{origin(line)}/") == 404
        async with ClientSession() as session:
            answer = await session.post(f"{origin(line)}/api/messages", json={})
            assert answer.status == 401


SLACK = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_API_URL": "http://127.0.0.1:9/api"}


@pytest.mark.parametrize(
    ("more", "told", "door"),
    [
        ({"SLACK_SIGNING_SECRET": "secret"}, "/slack/events", 401),
        ({"SLACK_APP_TOKEN": "xapp-1"}, " and hears Slack over a socket", 404),
    ],
)
async def test_with_slack_alone_it_says_how_slack_reaches_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, str], told: str, door: int
) -> None:
    changes = {**SLACK, **more, "LOUPE_HOST": "127.0.0.1"}
    async with app.serving(settings(monkeypatch, **changes)) as line:
        assert line == f"Loupe is ready at {origin(line)}{told}"
        async with ClientSession() as session:
            answer = await session.post(f"{origin(line)}/slack/events", json={})
            assert answer.status == door


@pytest.mark.parametrize(
    ("more", "host"),
    [({"SLACK_SIGNING_SECRET": "secret"}, "0.0.0.0"), ({"SLACK_APP_TOKEN": "xapp-1"}, "127.0.0.1")],
)
def test_only_who_is_called_by_http_listens_to_all(
    folder: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, str], host: str
) -> None:
    assert settings(monkeypatch, **SLACK, **more).host == host


def test_a_channel_nobody_knows_is_one_of_the_bot_frameworks() -> None:
    teams: Any = object()
    channels = ChannelDirectory(msteams=teams)
    channels.gateway = teams
    assert channels["webchat"] is teams
    assert "webchat" not in channels


def test_every_setting_is_declared_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [line.name for section in settings(monkeypatch).sections for line in lines(section)]
    assert len(set(names)) == len(names)
    assert {"PORT", "REDIS_URL", "MicrosoftAppId", "LOUPE_RETENTION_DAYS"} <= set(names)


def test_the_doctor_tries_what_is_configured(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    always = ["data folder", "store", "pictures"]
    plain = settings(monkeypatch)
    assert [check.part for check in checks(plain)] == [
        *always,
        *("model offline", "vision"),
    ]
    model = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "LOUPE_MODELS": "gpt-4o,gpt-5.1"}
    registered = settings(monkeypatch, **REGISTERED, **model)
    assert [check.part for check in checks(registered)] == [
        *always,
        *("model gpt-4o", "model gpt-5.1", "vision"),
        *("Teams token", "Teams signing keys"),
    ]
    heard = {"VISION_ENDPOINT": "http://127.0.0.1:9", "OPENAI_TRANSCRIBE_MODEL": "whisper-1"}
    found = [check.part for check in checks(settings(monkeypatch, **model, **heard))]
    assert found[5:8] == ["vision", "embeddings", "transcription"]


class Services:
    """The services around real processes in the playground mode, which share their data."""

    def __init__(
        self, folder: Path, teams: TeamsServer, model: OpenAIServer, vision: ImageAnalysisServer
    ) -> None:
        self._folder = folder
        self.teams = teams
        self.model = model
        self.vision = vision

    @asynccontextmanager
    async def process(self, **changes: str) -> AsyncIterator[tuple[ServeProcess, RunningBot]]:
        """Start a process, and a bot to talk with that stands for it."""
        told = {"OPENAI_BASE_URL": f"{self.model.url}/v1", "OPENAI_API_KEY": KEY}
        told |= {"VISION_ENDPOINT": self.vision.url, "VISION_KEY": VISION_KEY}
        known = {**told, "OPENAI_MODEL": "gpt-4o", "LOUPE_CHILDREN": "1", **changes}
        redis: Any = None
        speech: Any = None
        services = self.teams, self.model, speech, self.vision, None
        async with ClientSession() as session, ServeProcess(self._folder, **known) as process:
            folder, at = self._folder, origin(process.url)
            yield (
                process,
                RunningBot(process.url, at, folder, *services, redis, session),
            )


@pytest.fixture
async def services(folder: Path) -> AsyncIterator[Services]:
    async with (
        TeamsServer(authorize=False) as teams,
        OpenAIServer() as model,
        ImageAnalysisServer() as vision,
    ):
        yield Services(folder, teams, model, vision)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_end_it_ends_at_once_when_idle(folder: Path, sign: signal.Signals) -> None:
    async with ServeProcess(folder) as process:
        begun = time.monotonic()
        async with asyncio.timeout(20):
            assert await process.end(sign) == 0
        assert time.monotonic() - begun < 10
    sockets = [path for path in (folder / "data").rglob("*") if path.is_socket()]
    assert [path for path in sockets if answers(path)] == []


def answers(path: Path) -> bool:
    """Tell whether a store still listens."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


async def test_told_to_end_it_finishes_what_it_is_answering(services: Services) -> None:
    async with services.process() as (process, bot):
        gate = asyncio.Event()
        services.model.then(say("A red car ", gate, "by the road."))
        chat = bot.personal()
        await chat.post("What is it?")
        await chat.until("A red")
        ending = asyncio.create_task(process.end(signal.SIGTERM))
        async with asyncio.timeout(20):
            while await reachable(process.url):
                await asyncio.sleep(0.05)
        gate.set()
        async with asyncio.timeout(20):
            assert await ending == 0
        assert chat.texts == ["A red car by the road."]


async def reachable(url: str) -> bool:
    """Tell whether somebody listens there."""
    try:
        await status(url)
    except ClientConnectionError:
        return False
    return True


async def test_what_it_cannot_finish_in_time_the_next_process_answers(services: Services) -> None:
    services.model.then(say("A red car ", asyncio.Event()), say("It is a red car."))
    async with services.process(LOUPE_SHUTDOWN_SECONDS="0.2") as (process, bot):
        chat = bot.group()
        await chat.post("What is it?")
        await chat.until("A red")
        async with asyncio.timeout(20):
            assert await process.end(signal.SIGTERM) == 0
    async with services.process():
        await chat.until("It is a red car.")
    assert chat.texts == [f"A red car\n\n{texts.RESUME_NOTICE}\n\nIt is a red car."]
