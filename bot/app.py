"""The composition root: every room is built here, started in order, and closed in reverse."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import web

from adapters.blobs.build import open_blobs
from adapters.blobs.settings import MediaSettings
from adapters.http.download import DownloadSettings
from adapters.models.build import build_model, build_speech
from adapters.models.settings import ModelSettings
from adapters.page.build import Page
from adapters.page.settings import PageSettings
from adapters.redis.connection import connect, ping
from adapters.redis.embedded import EmbeddedStore
from adapters.redis.history import RedisHistory
from adapters.redis.mailbox import RedisMailbox
from adapters.redis.settings import RedisSettings
from adapters.slack.addresses import SLACK
from adapters.slack.build import slack_room
from adapters.slack.limits import SlackLimits
from adapters.slack.settings import SlackSettings
from adapters.teams.activities import TEAMS
from adapters.teams.build import teams_room
from adapters.teams.limits import TeamsLimits
from adapters.teams.settings import TeamsSettings
from adapters.vision.build import build_embedding, build_vision
from adapters.vision.settings import VisionSettings
from bot import checks as doctor
from bot.attachments.store import AttachmentStore
from bot.attachments.vision import VisionPass
from bot.commands.executor import CommandExecutor
from bot.commands.preferences import Preferences
from bot.commands.registry import COMMANDS
from bot.domain.preferences import Deployment
from bot.health import health
from bot.limits import Limits, load_limits
from bot.ports.disabled_channel import DisabledChannel
from bot.queue.inbox import Inbox
from bot.queue.retention import RetentionSweeper
from bot.queue.waiting_notice import WaitingNotices
from bot.queue.worker import Worker
from bot.replies.pictures import ReplyPictures
from bot.sandbox import ChildProcesses
from bot.settings import Core, Section, SettingsError, load
from bot.turn.budgets import ModelBudgets
from bot.turn.dispatcher import Dispatcher
from bot.turn.preparation import QuestionPreparer
from bot.turn.request import RequestComposer
from bot.turn.runner import TurnRunner
from bot.turn.toolboxes import ToolboxBuilder
from bot.video.chooser import Chooser
from bot.video.context import VideoContexts
from bot.video.footage import FrameStore
from bot.video.transcription import Transcriber

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from redis.asyncio import Redis

    from adapters.slack.build import SlackRoom
    from bot.domain.command_grammar import CommandGrammar
    from bot.domain.threads import Thread
    from bot.ports.blobs import Blobs
    from bot.ports.channel import Channel


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, section by section."""

    core: Core
    limits: Limits
    redis: RedisSettings
    media: MediaSettings
    model: ModelSettings
    vision: VisionSettings
    teams: TeamsSettings
    teams_limits: TeamsLimits
    slack: SlackSettings
    slack_limits: SlackLimits
    downloads: DownloadSettings
    page: PageSettings

    @property
    def sections(self) -> tuple[Section, ...]:
        """The sections in the order they are listed."""
        return (
            self.teams,
            self.slack,
            self.model,
            self.vision,
            self.redis,
            self.media,
            self.core,
            self.page,
            *self.limits.sections,
            self.teams_limits,
            self.slack_limits,
            self.downloads,
        )

    @property
    def host(self) -> str:
        """The address to listen on: loopback only while no channel has credentials."""
        return self.core.host or ("0.0.0.0" if self.called else "127.0.0.1")  # noqa: S104

    @property
    def called(self) -> bool:
        """Whether a platform calls by HTTP: then strangers may, too."""
        by_slack = self.slack.configured and not self.slack.socket
        return by_slack or not self.teams.playground

    @property
    def deployment(self) -> Deployment:
        """What whoever runs Loupe has set for all conversations."""
        return Deployment(
            system=self.core.system_message,
            models=tuple(choice.name for choice in self.model.choices),
            families={choice.name: choice.family for choice in self.model.choices},
            offline=self.model.offline,
        )


def read_settings() -> Settings:
    """Read everything; raises `SettingsError` with one sentence."""
    return Settings(
        core=load(Core),
        limits=load_limits(),
        redis=load(RedisSettings),
        media=load(MediaSettings),
        model=load(ModelSettings),
        vision=load(VisionSettings),
        teams=load(TeamsSettings),
        teams_limits=load(TeamsLimits),
        slack=load(SlackSettings),
        slack_limits=load(SlackLimits),
        downloads=load(DownloadSettings),
        page=load(PageSettings),
    )


async def check_folder(data: Path) -> None:
    """Make the data folder; raises `SettingsError` when it cannot be written to."""
    try:
        await doctor.writable(data)
    except OSError as error:
        raise SettingsError(
            f"LOUPE_DATA has the value {str(data)!r}, "
            f"which is no folder that can be written to ({error.strerror})."
        ) from error


class Services(NamedTuple):
    """What turns a question into an answer, and what keeps its photos and videos."""

    turns: TurnRunner
    gallery: AttachmentStore
    footage: FrameStore


@asynccontextmanager
async def services(settings: Settings, blobs: Blobs) -> AsyncIterator[Services]:
    """Build what turns a question into an answer: child processes, pictures, the models."""
    await asyncio.to_thread(settings.core.spool.mkdir, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        limits = settings.limits
        children = ChildProcesses(limits.children, limits.files)
        stack.push_async_callback(children.close)
        children.warm()
        model = build_model(settings.model, limits.requests, settings.vision.lent)
        stack.push_async_callback(model.close)
        vision = build_vision(settings.vision, limits.files, limits.children)
        stack.push_async_callback(vision.close)
        embedding = build_embedding(settings.vision, vision)
        if embedding is not None:
            stack.push_async_callback(embedding.close)
        gallery = AttachmentStore(children, blobs, limits.files, settings.core.spool)
        footage = FrameStore(children, blobs, gallery, limits.files, limits.videos)
        speech = build_speech(settings.model)
        if speech is not None:
            stack.push_async_callback(speech.close)
        films = VideoContexts(
            footage,
            Chooser(vision, embedding, limits.turns),
            Transcriber(speech, children, gallery, limits.files, limits.videos),
            limits.files,
            limits.videos,
            limits.requests,
        )
        sights = VisionPass(vision, gallery, limits.turns)
        budgets = ModelBudgets(limits.requests, settings.deployment.families)
        turns = TurnRunner(
            model,
            gallery,
            QuestionPreparer(
                gallery, sights, films, budgets, limits.files, limits.messages, limits.requests
            ),
            RequestComposer(gallery, limits.files, limits.requests),
            ToolboxBuilder(gallery, footage, limits.tools),
            budgets,
            limits.turns,
            limits.requests,
        )
        yield Services(turns, gallery, footage)


@asynccontextmanager
async def store(settings: Settings) -> AsyncIterator[Redis]:
    """Open the store: Redis where an address is given, else the embedded server."""
    if settings.redis.url is None:
        async with EmbeddedStore(settings.core.data, settings.redis) as redis:
            yield redis
        return
    redis = connect(settings.redis.url.get_secret_value(), settings.redis)
    try:
        yield redis
    finally:
        await redis.aclose()


class Channels(dict[str, "Channel"]):
    """The channels by name; one that is not in it is some other Bot Framework channel."""

    def __missing__(self, name: str) -> Channel:
        return self[TEAMS]


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """Run the bot; yields the line to print, with the address of the page when it is on.

    Raises `SettingsError` or `StoreDown` when it cannot start.
    """
    await check_folder(settings.core.data)
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(store(settings))
        blobs = open_blobs(settings.media, settings.core.data)
        turns, gallery, footage = await stack.enter_async_context(services(settings, blobs))
        limits = settings.limits
        mailbox = RedisMailbox(
            redis, limits.messages, limits.workers, limits.retention, settings.redis.accept_seconds
        )
        history = RedisHistory(redis, limits.retention)
        preferences = Preferences(history, settings.deployment)
        channels = Channels()
        lobby = WaitingNotices(mailbox, channels, limits.messages)
        ingress = RedisHistory(redis, limits.retention, settings.redis.accept_seconds)
        commands = CommandExecutor(history, preferences, gallery, COMMANDS)
        inbox = Inbox(mailbox, ingress, commands.grammar, lobby.notice, limits.messages)
        desk = Dispatcher(
            mailbox,
            history,
            preferences,
            commands,
            turns,
            ReplyPictures(gallery, footage),
            channels,
            limits.files,
            limits.messages,
        )
        worker = Worker(mailbox, desk.handle, desk.give_up, limits.workers)
        janitor = RetentionSweeper(mailbox, blobs, limits.retention, settings.core.spool)
        web_app = web.Application()
        web_app.add_routes(health(partial(ping, redis), lambda: worker.alive))
        teams = await stack.enter_async_context(
            teams_room(
                settings.teams, settings.teams_limits, settings.downloads, blobs, inbox.receive
            )
        )
        channels[TEAMS] = teams.channel
        web_app.add_routes(teams.routes)
        channels[SLACK] = DisabledChannel(SLACK)
        if settings.slack.configured:
            slack = await stack.enter_async_context(
                _slack(settings, redis, inbox, commands.grammar)
            )
            channels[SLACK] = slack.channel
            web_app.add_routes(slack.routes)
        page = _page(settings, redis, blobs, inbox, preferences)
        if page is not None:
            channels[page.channel.name] = page.channel
            web_app.add_routes(page.routes())
            await page.start()
            web_app.on_shutdown.append(lambda _: page.stop())
        for closing in (janitor.close, worker.close, lobby.close):
            stack.push_async_callback(closing)
        port = await stack.enter_async_context(_listening(web_app, settings))
        worker.start()
        janitor.start()
        yield await _address(settings, page, port)


def _slack(
    settings: Settings, redis: Redis, inbox: Inbox, grammar: CommandGrammar
) -> AbstractAsyncContextManager[SlackRoom]:
    keep_seconds = settings.limits.retention.retention_days * 86_400
    return slack_room(
        settings.slack,
        settings.slack_limits,
        settings.downloads,
        redis,
        keep_seconds,
        inbox.receive,
        grammar,
    )


def _page(
    settings: Settings, redis: Redis, blobs: Blobs, inbox: Inbox, preferences: Preferences
) -> Page | None:
    channels = settings.slack.configured or not settings.teams.playground
    if not settings.page.wanted(channels=channels):
        return None

    async def state(thread: Thread) -> dict[str, Any]:
        force = await preferences.of(thread)
        return {
            "system": force.system,
            "model": force.model,
            "models": list(preferences.deployment.models),
            "vision": force.vision,
        }

    limits = settings.limits
    return Page(
        settings.page,
        redis,
        blobs,
        inbox.receive,
        state,
        limits.files,
        limits.messages,
        limits.retention,
        settings.core.spool,
    )


async def _address(settings: Settings, page: Page | None, port: int) -> str:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::", ""} else settings.host  # noqa: S104
    if page is not None:
        return f"Loupe is ready: {await page.address(host, port)}"
    if settings.slack.configured and settings.teams.playground:
        by_socket = settings.slack.socket
        heard = " and hears Slack over a socket" if by_socket else "/slack/events"
        return f"Loupe is ready at http://{host}:{port}{heard}"
    return f"Loupe is ready at http://{host}:{port}/api/messages"


@asynccontextmanager
async def _listening(web_app: web.Application, settings: Settings) -> AsyncIterator[int]:
    """Serve over HTTP; yields the port. Connections end before the rooms behind them."""
    runner = web.AppRunner(web_app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.core.port)
        try:
            await site.start()
        except OSError as error:
            raise SettingsError(
                f"Port {settings.core.port} on {settings.host} cannot be used ({error.strerror}). "
                "Choose another with PORT."
            ) from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
