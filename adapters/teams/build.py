"""The Teams room as a whole: built, opened and closed in one place."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import ClientSession, DummyCookieJar, web

from adapters.chat.growing_message import GrowingMessages
from adapters.chat.streaming import Streams
from adapters.http.download import Downloads, DownloadSettings
from adapters.http.ssrf_guard import Guard
from adapters.teams.access_token import bot_token
from adapters.teams.channel import TeamsChannel
from adapters.teams.connector import Connector
from adapters.teams.file_consent import FileConsents
from adapters.teams.files import TeamsFiles
from adapters.teams.hosts import ConnectorHosts
from adapters.teams.messages import TeamsMessages
from adapters.teams.streaming import TeamsStreamTransport
from adapters.teams.uploads import Uploads
from adapters.teams.webhook import teams_ingress

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.teams.activity_handler import Accept
    from adapters.teams.limits import TeamsLimits
    from adapters.teams.settings import TeamsSettings
    from bot.ports.blobs import Blobs


@dataclass(frozen=True, slots=True)
class TeamsRoom:
    """What the application mounts: the channel and its routes."""

    channel: TeamsChannel
    routes: list[web.RouteDef]


@asynccontextmanager
async def teams_room(
    settings: TeamsSettings,
    limits: TeamsLimits,
    downloading: DownloadSettings,
    blobs: Blobs,
    accept: Accept,
) -> AsyncIterator[TeamsRoom]:
    """Open the room; `accept` stores a message before it returns."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        guard = Guard()
        stack.push_async_callback(guard.close)
        hosts = ConnectorHosts(settings)
        token = bot_token(session, settings)
        stack.push_async_callback(token.close)
        connector = Connector(session, token, hosts, limits)
        files = TeamsFiles(Downloads(guard, downloading), token, hosts)
        consents = FileConsents(connector, blobs, Uploads(guard, files, limits), limits)
        streams = Streams(TeamsStreamTransport(connector), limits.stream_seconds)
        growth = GrowingMessages(TeamsMessages(connector, limits), streams)
        channel = TeamsChannel(connector, growth, consents, files, limits)
        ingress = teams_ingress(settings, session, accept, hosts)
        await ingress.start()
        stack.push_async_callback(ingress.stop)
        yield TeamsRoom(channel, ingress.routes())
