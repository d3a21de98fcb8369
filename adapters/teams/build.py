"""Teams as a channel: its declaration, and how it is opened and closed."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import ClientSession, DummyCookieJar

from adapters.chat.declaration import ChannelDeclaration, Connection, RunningChannel
from adapters.chat.growing_message import GrowingMessages
from adapters.chat.streaming import Streams
from adapters.http.download import Downloads
from adapters.http.ssrf_guard import Guard
from adapters.teams.access_token import bot_token
from adapters.teams.addresses import PLACES, TEAMS, read_address
from adapters.teams.channel import TeamsChannel
from adapters.teams.connector import Connector
from adapters.teams.doctor import teams_checks
from adapters.teams.file_consent import FileConsents
from adapters.teams.files import TeamsFiles
from adapters.teams.hosts import ConnectorHosts
from adapters.teams.messages import TeamsMessages
from adapters.teams.settings import TeamsLimits, TeamsSettings
from adapters.teams.signing_keys import SigningKeys
from adapters.teams.streaming import TeamsStreamTransport
from adapters.teams.uploads import Uploads
from adapters.teams.webhook import PATH, TeamsWebhook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.chat.declaration import ChannelServices
    from bot.settings import Sections


@asynccontextmanager
async def open_teams(
    sections: Sections, services: ChannelServices
) -> AsyncIterator[RunningChannel]:
    """Open the channel to Teams."""
    settings, limits = sections[TeamsSettings], sections[TeamsLimits]
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        guard = Guard()
        stack.push_async_callback(guard.close)
        hosts = ConnectorHosts(settings)
        token = bot_token(session, settings)
        stack.push_async_callback(token.close)
        connector = Connector(session, token, hosts, limits)
        files = TeamsFiles(Downloads(guard, services.downloads), token, hosts)
        consents = FileConsents(connector, services.blobs, Uploads(guard, files, limits), limits)
        streams = Streams(TeamsStreamTransport(connector), limits.stream_seconds)
        growing_messages = GrowingMessages(TeamsMessages(connector, limits), streams)
        channel = TeamsChannel(connector, growing_messages, consents, files, limits)
        keys = SigningKeys(session, settings.openid_url)
        webhook = TeamsWebhook(settings, keys, services.accept, hosts, services.other_names)
        await webhook.start()
        stack.push_async_callback(webhook.stop)
        yield RunningChannel(channel, webhook.routes(), path=PATH)


def _connection(sections: Sections) -> Connection:
    """Return `LOCAL` without a bot, as then only the playground and the Emulator are served."""
    playground = sections[TeamsSettings].playground
    return Connection.LOCAL if playground else Connection.WEBHOOK


DECLARATION = ChannelDeclaration(
    name=TEAMS,
    title="Teams",
    places=PLACES,
    connection=_connection,
    read_address=read_address,
    open=open_teams,
    sections=(TeamsSettings, TeamsLimits),
    checks=teams_checks,
    gateway=True,
)
