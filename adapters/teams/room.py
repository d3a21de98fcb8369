"""The Teams room as a whole: built, opened and closed in one place."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import ClientSession, DummyCookieJar, web

from adapters.download import Downloads, DownloadSettings
from adapters.growth import Growth
from adapters.guard import Guard
from adapters.streams import Streams
from adapters.teams.connector import Connector
from adapters.teams.consent import Consents
from adapters.teams.files import Files
from adapters.teams.hosts import ConnectorHosts
from adapters.teams.ingress import teams_ingress
from adapters.teams.paper import TeamsPaper
from adapters.teams.replies import TeamsChannel
from adapters.teams.streams import TeamsWire
from adapters.teams.token import bot_token
from adapters.teams.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.teams.bot import Accept
    from adapters.teams.limits import TeamsLimits
    from adapters.teams.settings import TeamsSettings
    from bot.blobs import Blobs


@dataclass(frozen=True, slots=True)
class Room:
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
) -> AsyncIterator[Room]:
    """Open the room; `accept` stores a message before it returns."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        guard = Guard()
        stack.push_async_callback(guard.close)
        hosts = ConnectorHosts(settings)
        token = bot_token(session, settings)
        stack.push_async_callback(token.close)
        connector = Connector(session, token, hosts, limits)
        files = Files(Downloads(guard, downloading), token, hosts)
        consents = Consents(connector, blobs, Uploads(guard, files, limits), limits)
        streams = Streams(TeamsWire(connector), limits.stream_seconds)
        growth = Growth(TeamsPaper(connector, limits), streams)
        channel = TeamsChannel(connector, growth, consents, files, limits)
        ingress = teams_ingress(settings, session, accept, hosts)
        await ingress.start()
        stack.push_async_callback(ingress.stop)
        yield Room(channel, ingress.routes())
