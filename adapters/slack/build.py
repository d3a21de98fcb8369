"""The Slack room as a whole: built, opened and closed in one place."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, web

from adapters.chat.growing_message import GrowingMessages
from adapters.chat.streaming import Streams
from adapters.http.download import Downloads, DownloadSettings
from adapters.http.ssrf_guard import Guard
from adapters.slack.agent_status import AgentStatus
from adapters.slack.background_work import BackgroundWork
from adapters.slack.bolt_app import SlackBot
from adapters.slack.channel import SlackChannel
from adapters.slack.ephemeral import EphemeralMessages
from adapters.slack.files import SlackFiles
from adapters.slack.hosts import SlackHosts
from adapters.slack.messages import SlackMessages
from adapters.slack.socket_mode import SocketMode
from adapters.slack.streaming import SlackStreamTransport
from adapters.slack.thread_history import EarlierPictures
from adapters.slack.thread_index import ThreadIndex
from adapters.slack.uploads import SlackUploads
from adapters.slack.users import Users
from adapters.slack.web_api import SlackApi
from adapters.slack.webhook import SlackWebhook
from adapters.slack.workspaces import OneWorkspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis

    from adapters.slack.background_work import Accept
    from adapters.slack.limits import SlackLimits
    from adapters.slack.settings import SlackSettings
    from bot.domain.command_grammar import CommandGrammar


@dataclass(frozen=True, slots=True)
class SlackRoom:
    """What the application mounts: the channel and its routes."""

    channel: SlackChannel
    routes: list[web.RouteDef]


@asynccontextmanager
async def slack_room(
    settings: SlackSettings,
    limits: SlackLimits,
    downloading: DownloadSettings,
    redis: Redis,
    keep_seconds: float,
    accept: Accept,
    grammar: CommandGrammar,
) -> AsyncIterator[SlackRoom]:
    """Open the room; `accept` stores a message before it returns, `grammar` reads commands.

    Events come by HTTP, or over a socket where there is an app token.
    """
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
        memory = ThreadIndex(redis, keep_seconds, grammar)
        people = Users(api, limits.name_hours)
        channel = SlackChannel(
            *_sending(api, limits),
            EphemeralMessages(api, guard, hosts, limits),
            SlackFiles(Downloads(guard, downloading), workspaces, api, hosts),
            SlackUploads(api, guard, hosts, limits),
            people,
            EarlierPictures(api, people, workspaces, limits),
            BackgroundWork(api, workspaces, accept, memory),
            limits,
        )
        bot = SlackBot(workspaces, accept, memory, grammar, settings.reaction)
        if settings.socket:
            socket = SocketMode(settings, bot)
            await socket.start()
            stack.push_async_callback(socket.stop)
            yield SlackRoom(channel, [])
        else:
            yield SlackRoom(channel, SlackWebhook(settings, bot).routes())


def _session(limits: SlackLimits) -> ClientSession:
    timeout = ClientTimeout(total=limits.request_seconds)
    return ClientSession(cookie_jar=DummyCookieJar(), timeout=timeout)


def _sending(api: SlackApi, limits: SlackLimits) -> tuple[GrowingMessages, SlackMessages]:
    """Build what shows answers as they grow, and what it posts and edits with."""
    paper = SlackMessages(api, AgentStatus(api), limits)
    return GrowingMessages(paper, Streams(SlackStreamTransport(api), limits.stream_seconds)), paper
