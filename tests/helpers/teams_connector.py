"""The parts of Teams that send requests, connected to the tests' own connector."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession
from pydantic import SecretStr

from adapters.chat.growing_message import GrowingMessages
from adapters.chat.streaming import Streams
from adapters.http.download import Downloads, DownloadSettings
from adapters.http.ssrf_guard import Guard
from adapters.teams.access_token import BotToken, bot_token
from adapters.teams.channel import TeamsChannel
from adapters.teams.connector import Connector
from adapters.teams.file_consent import FileConsents
from adapters.teams.files import TeamsFiles
from adapters.teams.hosts import ConnectorHosts
from adapters.teams.messages import TeamsMessages
from adapters.teams.settings import TeamsLimits, TeamsSettings
from adapters.teams.streaming import TeamsStreamTransport
from adapters.teams.uploads import Uploads
from bot.clock import Clock
from tests.helpers.fakes import FakeClock
from tests.servers.teams_services import APP_ID, PASSWORD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.servers.teams import TeamsServer


@asynccontextmanager
async def close_after(part: Any) -> AsyncIterator[Any]:
    """Yield an object and close it at the end."""
    try:
        yield part
    finally:
        await part.close()


async def eventually(predicate: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Poll a predicate until it is true."""
    async with asyncio.timeout(seconds):
        while not await predicate():
            await asyncio.sleep(0.005)


@dataclass
class MemoryBlobs:
    """Stores bytes by key in memory, as far as offered files need it."""

    data: dict[str, bytes] = field(default_factory=dict)

    async def put(self, key: str, data: bytes) -> None:
        self.data[key] = data

    async def get(self, key: str) -> bytes | None:
        return self.data.get(key)

    async def erase(self, prefix: str) -> int:
        below = [key for key in self.data if key.startswith(f"{prefix}/")]
        return len([self.data.pop(key) for key in below])


@dataclass
class TeamsClients:
    """The parts of Teams that send requests."""

    session: ClientSession
    token: BotToken
    connector: Connector
    streams: Streams
    files: TeamsFiles
    uploads: Uploads
    consents: FileConsents
    channel: TeamsChannel
    blobs: MemoryBlobs
    clock: Clock


def connector_settings(teams: TeamsServer, **changes: Any) -> TeamsSettings:
    """Return the settings of a bot that trusts the server."""
    return TeamsSettings(
        **{
            "app_id": APP_ID,
            "app_password": SecretStr(PASSWORD),
            "token_url": teams.origin,
            "connector_hosts": teams.host,
            **changes,
        }
    )


@asynccontextmanager
async def teams_clients(
    settings: TeamsSettings, clock: Clock | None = None, **limits: Any
) -> AsyncIterator[TeamsClients]:
    """Yield the parts, by default with a clock of the tests."""
    clock = clock or FakeClock()
    send_limits, hosts, blobs = TeamsLimits(**limits), ConnectorHosts(settings), MemoryBlobs()
    async with ClientSession() as session, close_after(Guard()) as guard:
        token = bot_token(session, settings, clock)
        connector = Connector(session, token, hosts, send_limits, clock)
        streams = Streams(TeamsStreamTransport(connector, clock), send_limits.stream_seconds, clock)
        files = TeamsFiles(Downloads(guard, DownloadSettings(), clock), token, hosts)
        uploads = Uploads(guard, files, send_limits, clock)
        consents = FileConsents(connector, blobs, uploads, send_limits)
        growing_messages = GrowingMessages(TeamsMessages(connector, send_limits), streams, clock)
        channel = TeamsChannel(connector, growing_messages, consents, files, send_limits)
        async with close_after(token):
            yield TeamsClients(
                session, token, connector, streams, files, uploads, consents, channel, blobs, clock
            )
