"""The local page as a whole: its routes, its channel, and what runs while it is served."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from adapters.page.access import AccessControl
from adapters.page.assets import Asset, read_assets
from adapters.page.channel import PageChannel
from adapters.page.event_stream import EventStream
from adapters.page.notes_store import NotesStore
from adapters.page.session import Session
from adapters.page.subscriptions import NoteSubscriptions
from adapters.page.upload_api import UploadApi

if TYPE_CHECKING:
    from pathlib import Path

    from redis.asyncio import Redis

    from adapters.page.event_stream import State
    from adapters.page.settings import PageSettings
    from adapters.page.upload_api import Accept
    from bot.limits import FileLimits, MessageLimits, RetentionLimits
    from bot.ports.blobs import Blobs

DAY = 24 * 3600.0


class Page:
    """A chat session in the browser; start it before it is served, stop it before the server."""

    def __init__(
        self,
        settings: PageSettings,
        redis: Redis,
        blobs: Blobs,
        accept: Accept,
        state: State,
        files: FileLimits,
        messages: MessageLimits,
        retention: RetentionLimits,
        spool: Path,
    ) -> None:
        """Keep the page in a Redis and a blob store, which the caller closes.

        `accept` takes what people post, `state` tells what is in force in a conversation, and
        `spool` is a folder for files on their way.
        """
        lifetime = retention.retention_days * DAY
        wall = NotesStore(redis, lifetime)
        self._assets: dict[str, Asset] = {}
        self._news = NoteSubscriptions(redis)
        self._session = Session(wall, settings.hosts)
        self._doors = AccessControl(self._session, self._assets, lifetime)
        self._feed = EventStream(files, wall, self._news, blobs, state)
        self._intake = UploadApi(files, messages, spool, wall, blobs, accept)
        self.channel = PageChannel(wall, blobs)

    async def start(self) -> None:
        """Read the page's files and listen for changes."""
        self._assets.update(await asyncio.to_thread(read_assets))
        await self._news.start()

    async def stop(self) -> None:
        """End all streams, for which the server would wait."""
        await self._news.stop()

    async def address(self, host: str, port: int) -> str:
        """Return the address to print, with the token in it; raises `StoreDown`."""
        return await self._session.address(host, port)

    def routes(self) -> list[web.RouteDef]:
        """List the routes to add to the server's application."""
        doors, feed, intake = self._doors, self._feed, self._intake
        return [
            web.get("/", doors.open(doors.enter)),
            web.get("/c/{conversation}", doors.open(doors.enter)),
            web.get("/page/static/{name}", doors.open(doors.static)),
            web.get("/page/stream", doors.guarded(feed.stream), allow_head=False),
            web.get("/page/state", doors.guarded(feed.state)),
            web.get("/page/recent", doors.guarded(feed.recent)),
            web.get("/page/blob/{conversation}/{ref}", doors.guarded(feed.blob)),
            web.post("/page/files", doors.guarded(intake.upload)),
            web.post("/page/messages", doors.guarded(intake.message)),
        ]
