"""The local page as a whole: built, opened and closed in one place."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

from adapters.chat.declaration import ChannelDeclaration, Connection, RunningChannel
from adapters.page.access import AccessControl
from adapters.page.assets import read_assets
from adapters.page.channel import NAME, PLACES, PageChannel, read_address
from adapters.page.event_stream import EventStream
from adapters.page.notes_store import NotesStore
from adapters.page.session import Session
from adapters.page.settings import PageSettings
from adapters.page.subscriptions import NoteSubscriptions
from adapters.page.upload_api import UploadApi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.chat.declaration import ChannelServices
    from adapters.page.event_stream import State
    from bot.domain.threads import Thread
    from bot.settings import Sections

DAY = 24 * 3600.0


@asynccontextmanager
async def open_page(sections: Sections, services: ChannelServices) -> AsyncIterator[RunningChannel]:
    """Open the page; its streams have to end before the server waits for its responses."""
    limits, blobs = services.limits, services.blobs
    lifetime = limits.retention.retention_days * DAY
    notes = NotesStore(services.redis, lifetime)
    subscriptions = NoteSubscriptions(services.redis)
    session = Session(notes, sections[PageSettings].hosts)
    access = AccessControl(session, await asyncio.to_thread(read_assets), lifetime)
    events = EventStream(limits.files, notes, subscriptions, blobs, _state_of(services))
    uploads = UploadApi(
        limits.files, limits.messages, services.spool, notes, blobs, services.accept
    )
    await subscriptions.start()
    try:
        yield RunningChannel(
            PageChannel(notes, blobs),
            _routes(access, events, uploads),
            link=session.address,
            before_shutdown=subscriptions.stop,
        )
    finally:
        await subscriptions.stop()


def _state_of(services: ChannelServices) -> State:
    """Return what gives the page the settings in effect in a thread."""

    async def state(thread: Thread) -> dict[str, Any]:
        in_effect = await services.settings_in_effect(thread)
        return {
            "system": in_effect.system,
            "model": in_effect.model,
            "models": list(services.models),
            "vision": in_effect.vision,
        }

    return state


def _routes(access: AccessControl, events: EventStream, uploads: UploadApi) -> list[web.RouteDef]:
    return [
        web.get("/", access.open(access.enter)),
        web.get("/c/{conversation}", access.open(access.enter)),
        web.get("/page/static/{name}", access.open(access.static)),
        web.get("/page/stream", access.guarded(events.stream), allow_head=False),
        web.get("/page/state", access.guarded(events.state)),
        web.get("/page/recent", access.guarded(events.recent)),
        web.get("/page/blob/{conversation}/{ref}", access.guarded(events.blob)),
        web.post("/page/files", access.guarded(uploads.upload)),
        web.post("/page/messages", access.guarded(uploads.message)),
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
