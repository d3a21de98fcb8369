"""The composition root: every room is built here, started in order, and closed in reverse."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import web

from adapters.blobs.build import open_blobs
from adapters.chat.declaration import ChannelServices
from adapters.models.build import build_model, build_speech
from adapters.redis.connection import connect, ping
from adapters.redis.embedded import EmbeddedStore
from adapters.redis.history import RedisHistory
from adapters.redis.mailbox import RedisMailbox
from adapters.vision.build import build_embedding, build_vision
from bot import checks as doctor
from bot.attachments.store import AttachmentStore
from bot.attachments.vision import VisionPass
from bot.channels import (
    ChannelDirectory,
    ChannelServer,
)
from bot.commands.executor import CommandExecutor
from bot.commands.preferences import Preferences
from bot.commands.registry import COMMANDS
from bot.health import health
from bot.queue.inbox import Inbox
from bot.queue.retention import RetentionSweeper
from bot.queue.waiting_notice import WaitingNotices
from bot.queue.worker import Worker
from bot.replies.pictures import ReplyPictures
from bot.sandbox import ChildProcesses
from bot.settings import SettingsError
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
    from pathlib import Path

    from redis.asyncio import Redis

    from bot.app_settings import Settings
    from bot.ports.blobs import Blobs


async def check_folder(data: Path) -> None:
    """Make the data folder; raises `SettingsError` when it cannot be written to."""
    try:
        await doctor.writable(data)
    except OSError as error:
        raise SettingsError(
            f"LOUPE_DATA has the value {str(data)!r}, "
            f"which is not a writable folder ({error.strerror})."
        ) from error


class Services(NamedTuple):
    """What turns a question into an answer, and what keeps its photos and videos."""

    turns: TurnRunner
    attachments: AttachmentStore
    frame_store: FrameStore


@asynccontextmanager
async def services(settings: Settings, blobs: Blobs) -> AsyncIterator[Services]:
    """Build what turns a question into an answer: child processes, pictures, the models."""
    await asyncio.to_thread(settings.core.spool.mkdir, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        limits = settings.limits
        children = ChildProcesses(limits.children, limits.files)
        stack.push_async_callback(children.close)
        children.warm()
        model = build_model(settings.model, limits.requests, settings.vision.shared_resource)
        stack.push_async_callback(model.close)
        vision = build_vision(settings.vision, limits.files, limits.children)
        stack.push_async_callback(vision.close)
        embedding = build_embedding(settings.vision, vision)
        if embedding is not None:
            stack.push_async_callback(embedding.close)
        attachments = AttachmentStore(children, blobs, limits.files, settings.core.spool)
        frame_store = FrameStore(children, blobs, attachments, limits.files, limits.videos)
        speech = build_speech(settings.model)
        if speech is not None:
            stack.push_async_callback(speech.close)
        videos = VideoContexts(
            frame_store,
            Chooser(vision, embedding, limits.turns),
            Transcriber(speech, children, attachments, limits.files, limits.videos),
            limits.files,
            limits.videos,
            limits.requests,
        )
        vision_pass = VisionPass(vision, attachments, limits.turns)
        budgets = ModelBudgets(limits.requests, settings.deployment.families)
        turns = TurnRunner(
            model,
            attachments,
            QuestionPreparer(
                attachments,
                vision_pass,
                videos,
                budgets,
                limits.files,
                limits.messages,
                limits.requests,
            ),
            RequestComposer(attachments, limits.files, limits.requests),
            ToolboxBuilder(attachments, frame_store, limits.tools),
            budgets,
            limits.turns,
            limits.requests,
        )
        yield Services(turns, attachments, frame_store)


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


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """Run the bot; yields the line to print, with the address of the page when it is on.

    Raises `SettingsError` or `StoreDown` when it cannot start.
    """
    await check_folder(settings.core.data)
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(store(settings))
        blobs = open_blobs(settings.media, settings.core.data)
        turns, attachments, frame_store = await stack.enter_async_context(services(settings, blobs))
        limits = settings.limits
        mailbox = RedisMailbox(
            redis,
            limits.messages,
            limits.workers,
            limits.retention,
            settings.redis.accept_seconds,
            settings.channels.read_address,
        )
        history = RedisHistory(redis, limits.retention)
        preferences = Preferences(history, settings.deployment)
        channels = ChannelDirectory()
        notices = WaitingNotices(mailbox, channels, limits.messages)
        accept_history = RedisHistory(redis, limits.retention, settings.redis.accept_seconds)
        commands = CommandExecutor(history, preferences, attachments, COMMANDS)
        inbox = Inbox(mailbox, accept_history, commands.grammar, notices.notice, limits.messages)
        dispatcher = Dispatcher(
            mailbox,
            history,
            preferences,
            commands,
            turns,
            ReplyPictures(attachments, frame_store),
            channels,
            limits.files,
            limits.messages,
        )
        worker = Worker(mailbox, dispatcher.handle, dispatcher.give_up, limits.workers)
        sweeper = RetentionSweeper(mailbox, blobs, limits.retention, settings.core.spool)
        web_app = web.Application()
        web_app.add_routes(health(partial(ping, redis), lambda: worker.alive))
        channel_services = ChannelServices(
            accept=inbox.receive,
            blobs=blobs,
            redis=redis,
            downloads=settings.downloads,
            limits=limits,
            grammar=commands.grammar,
            settings_in_effect=preferences.of,
            models=settings.deployment.models,
            spool=settings.core.spool,
        )
        server = ChannelServer(settings.channels, channels, web_app)
        await server.open(channel_services, stack)
        for closing in (sweeper.close, worker.close, notices.close):
            stack.push_async_callback(closing)
        port = await stack.enter_async_context(_listening(web_app, settings))
        worker.start()
        sweeper.start()
        yield await server.ready_line(_own_host(settings), port)


def _own_host(settings: Settings) -> str:
    """Return the host by which this machine reaches the bot."""
    return "127.0.0.1" if settings.host in {"0.0.0.0", "::", ""} else settings.host  # noqa: S104


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
