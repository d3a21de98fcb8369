"""Loupe's outbound side of Teams, put together against the tests' own connector."""

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
    """Close a part of ours at the end."""
    try:
        yield part
    finally:
        await part.close()


async def eventually(predicate: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Ask until something is true that nobody tells of."""
    async with asyncio.timeout(seconds):
        while not await predicate():
            await asyncio.sleep(0.005)


@dataclass
class MemoryBlobs:
    """Keeps bytes by key, as far as offered files need it."""

    kept: dict[str, bytes] = field(default_factory=dict)

    async def put(self, key: str, data: bytes) -> None:
        self.kept[key] = data

    async def get(self, key: str) -> bytes | None:
        return self.kept.get(key)

    async def erase(self, prefix: str) -> int:
        below = [key for key in self.kept if key.startswith(f"{prefix}/")]
        return len([self.kept.pop(key) for key in below])


@dataclass
class TeamsClients:
    """All parts, for tests that look at one of them."""

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
    """The settings of a bot that trusts the server."""
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
    """Put the parts together, by default with a clock of the tests."""
    clock = clock or FakeClock()
    bounds, hosts, blobs = TeamsLimits(**limits), ConnectorHosts(settings), MemoryBlobs()
    async with ClientSession() as session, close_after(Guard()) as guard:
        token = bot_token(session, settings, clock)
        connector = Connector(session, token, hosts, bounds, clock)
        streams = Streams(TeamsStreamTransport(connector, clock), bounds.stream_seconds, clock)
        files = TeamsFiles(Downloads(guard, DownloadSettings(), clock), token, hosts)
        uploads = Uploads(guard, files, bounds, clock)
        consents = FileConsents(connector, blobs, uploads, bounds)
        growing_messages = GrowingMessages(TeamsMessages(connector, bounds), streams, clock)
        channel = TeamsChannel(connector, growing_messages, consents, files, bounds)
        async with close_after(token):
            yield TeamsClients(
                session, token, connector, streams, files, uploads, consents, channel, blobs, clock
            )
