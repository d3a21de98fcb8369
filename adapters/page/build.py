"""Builds the local page, opens it and closes it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

from adapters.chat.declaration import ChannelDeclaration, Connection, RunningChannel
from adapters.page.access import AccessControl
from adapters.page.assets import read_assets
from adapters.page.channel import NAME, PLACES, PageChannel, read_address
from adapters.page.messages import MessageStore
from adapters.page.read_api import ReadApi
from adapters.page.session import Session
from adapters.page.settings import PageSettings
from adapters.page.streaming import EventStream
from adapters.page.subscriptions import Subscriptions
from adapters.page.write_api import WriteApi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.chat.declaration import ChannelServices
    from adapters.page.read_api import State
    from bot.domain.threads import Thread
    from bot.settings import Sections

DAY = 24 * 3600.0


@asynccontextmanager
async def open_page(sections: Sections, services: ChannelServices) -> AsyncIterator[RunningChannel]:
    """Open the page; its streams must end before the server waits for its responses."""
    limits, blobs = services.limits, services.blobs
    lifetime = limits.retention.retention_days * DAY
    messages = MessageStore(services.redis, lifetime)
    subscriptions = Subscriptions(services.redis)
    session = Session(messages, sections[PageSettings].hosts)
    access = AccessControl(session, await asyncio.to_thread(read_assets), lifetime)
    events = EventStream(messages, subscriptions)
    reads = ReadApi(limits.files, messages, blobs, _state_of(services))
    writes = WriteApi(
        limits.files, limits.messages, services.spool, messages, blobs, services.accept
    )
    await subscriptions.start()
    try:
        yield RunningChannel(
            PageChannel(messages, blobs),
            _routes(access, events, reads, writes),
            link=session.address,
            before_shutdown=subscriptions.stop,
        )
    finally:
        await subscriptions.stop()


def _state_of(services: ChannelServices) -> State:
    """Return a function that reads the settings in effect in a thread."""

    async def state(thread: Thread) -> dict[str, Any]:
        in_effect = await services.settings_in_effect(thread)
        return {
            "system": in_effect.system,
            "model": in_effect.model,
            "models": list(services.models),
            "vision": in_effect.vision,
        }

    return state


def _routes(
    access: AccessControl, events: EventStream, reads: ReadApi, writes: WriteApi
) -> list[web.RouteDef]:
    return [
        web.get("/", access.open(access.enter)),
        web.get("/c/{conversation}", access.open(access.enter)),
        web.get("/page/static/{name}", access.open(access.static)),
        web.get("/page/stream", access.guarded(events.stream), allow_head=False),
        web.get("/page/state", access.guarded(reads.state)),
        web.get("/page/recent", access.guarded(reads.recent)),
        web.get("/page/blob/{conversation}/{ref}", access.guarded(reads.blob)),
        web.post("/page/files", access.guarded(writes.upload)),
        web.post("/page/messages", access.guarded(writes.message)),
    ]


def _connection(sections: Sections) -> Connection:
    return sections[PageSettings].connection


DECLARATION = ChannelDeclaration(
    name=NAME,
    title="local page",
    places=PLACES,
    connection=_connection,
    read_address=read_address,
    open=open_page,
    sections=(PageSettings,),
)
