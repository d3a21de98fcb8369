"""The Slack channel: its parts are put together, opened and closed here."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar

from adapters.chat.declaration import ChannelDeclaration, Connection, RunningChannel
from adapters.chat.growing_message import GrowingMessages
from adapters.chat.streaming import Streams
from adapters.http.download import Downloads
from adapters.http.ssrf_guard import Guard
from adapters.slack.addresses import SLACK, read_address
from adapters.slack.background_work import BackgroundWork
from adapters.slack.bolt_app import SlackBot
from adapters.slack.channel import PLACES, SlackChannel
from adapters.slack.doctor import slack_checks
from adapters.slack.files import SlackFiles
from adapters.slack.hosts import SlackHosts
from adapters.slack.messages import EphemeralMessages, SlackMessages
from adapters.slack.settings import SlackLimits, SlackSettings
from adapters.slack.socket_mode import SocketMode
from adapters.slack.streaming import AgentStatus, SlackStreamTransport
from adapters.slack.thread_history import ThreadPictures
from adapters.slack.thread_index import ThreadIndex
from adapters.slack.uploads import SlackUploads
from adapters.slack.users import Users
from adapters.slack.web_api import SlackApi
from adapters.slack.webhook import PATH, SlackWebhook
from adapters.slack.workspaces import OneWorkspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.chat.declaration import ChannelServices
    from bot.settings import Sections

DAY = 24 * 3600.0


@asynccontextmanager
async def open_slack(
    sections: Sections, services: ChannelServices
) -> AsyncIterator[RunningChannel]:
    """Open the channel; it receives by webhook, or through a socket if there is an app token."""
    settings, limits = sections[SlackSettings], sections[SlackLimits]
    keep_seconds = services.limits.retention.retention_days * DAY
    accept, grammar = services.accept, services.grammar
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(_session(limits))
        guard = Guard()
        stack.push_async_callback(guard.close)
        hosts = SlackHosts(settings.api_url)
        token = settings.bot_token.get_secret_value() if settings.bot_token else ""
        workspaces = OneWorkspace(settings.api_url, token, session)
        await workspaces.start()
        stack.push_async_callback(workspaces.stop)
        api = SlackApi(session, workspaces, limits, settings.api_url)
        index = ThreadIndex(services.redis, keep_seconds, grammar)
        users = Users(api, limits.name_hours)
        channel = SlackChannel(
            *_messages(api, limits),
            EphemeralMessages(api, guard, hosts, limits),
            SlackFiles(Downloads(guard, services.downloads), workspaces, api, hosts),
            SlackUploads(api, guard, hosts, limits),
            users,
            ThreadPictures(api, users, workspaces, limits),
            BackgroundWork(api, workspaces, accept, index),
            limits,
        )
        bot = SlackBot(workspaces, accept, index, grammar, settings.reaction)
        if settings.socket:
            socket = SocketMode(settings, bot)
            await socket.start()
            stack.push_async_callback(socket.stop)
            yield RunningChannel(channel)
        else:
            yield RunningChannel(channel, SlackWebhook(settings, bot).routes(), path=PATH)


def _session(limits: SlackLimits) -> ClientSession:
    timeout = ClientTimeout(total=limits.request_seconds)
    return ClientSession(cookie_jar=DummyCookieJar(), timeout=timeout)


def _messages(api: SlackApi, limits: SlackLimits) -> tuple[GrowingMessages, SlackMessages]:
    """Build the messages that grow, and those that are posted and edited whole."""
    messages = SlackMessages(api, AgentStatus(api), limits)
    streams = Streams(SlackStreamTransport(api), limits.stream_seconds)
    return GrowingMessages(messages, streams), messages


def _connection(sections: Sections) -> Connection:
    settings = sections[SlackSettings]
    if not settings.configured:
        return Connection.OFF
    return Connection.SOCKET if settings.socket else Connection.WEBHOOK


DECLARATION = ChannelDeclaration(
    name=SLACK,
    title="Slack",
    places=PLACES,
    connection=_connection,
    read_address=read_address,
    open=open_slack,
    sections=(SlackSettings, SlackLimits),
    checks=slack_checks,
)
