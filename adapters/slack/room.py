"""The Slack room as a whole: built, opened and closed in one place."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, web

from adapters.download import Downloads, DownloadSettings
from adapters.growth import Growth
from adapters.guard import Guard
from adapters.slack.api import SlackApi
from adapters.slack.bot import SlackBot
from adapters.slack.earlier import Earlier
from adapters.slack.errands import Errands
from adapters.slack.files import SlackFiles
from adapters.slack.hosts import SlackHosts
from adapters.slack.ingress import SlackIngress
from adapters.slack.memory import Memory
from adapters.slack.paper import SlackPaper
from adapters.slack.people import People
from adapters.slack.private import Private
from adapters.slack.replies import SlackChannel
from adapters.slack.sessions import Sessions
from adapters.slack.socket import Socket
from adapters.slack.streams import SlackWire
from adapters.slack.uploads import SlackUploads
from adapters.slack.workspaces import OneWorkspace
from adapters.streams import Streams

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis

    from adapters.slack.errands import Accept
    from adapters.slack.limits import SlackLimits
    from adapters.slack.settings import SlackSettings


@dataclass(frozen=True, slots=True)
class Room:
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
) -> AsyncIterator[Room]:
    """Open the room; `accept` stores a message before it returns.

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
        memory = Memory(redis, keep_seconds)
        people = People(api, limits.name_hours)
        channel = SlackChannel(
            *_sending(api, limits),
            Private(api, guard, hosts, limits),
            SlackFiles(Downloads(guard, downloading), workspaces, api, hosts),
            SlackUploads(api, guard, hosts, limits),
            people,
            Earlier(api, people, workspaces, limits),
            Errands(api, workspaces, accept, memory),
            limits,
        )
        bot = SlackBot(workspaces, accept, memory, settings.reaction)
        if settings.socket:
            socket = Socket(settings, bot)
            await socket.start()
            stack.push_async_callback(socket.stop)
            yield Room(channel, [])
        else:
            yield Room(channel, SlackIngress(settings, bot).routes())


def _session(limits: SlackLimits) -> ClientSession:
    timeout = ClientTimeout(total=limits.request_seconds)
    return ClientSession(cookie_jar=DummyCookieJar(), timeout=timeout)


def _sending(api: SlackApi, limits: SlackLimits) -> tuple[Growth, SlackPaper]:
    """Build what shows answers as they grow, and what it posts and edits with."""
    paper = SlackPaper(api, Sessions(api), limits)
    return Growth(paper, Streams(SlackWire(api), limits.stream_seconds)), paper
