"""The store of a Loupe without `REDIS_URL`: a server of its own, shared by its processes."""

from __future__ import annotations

import asyncio
import atexit
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

import structlog
from fakeredis import FakeAsyncRedis, FakeServer

from adapters.redis import server_binaries as engines
from adapters.redis.connection import connect
from adapters.redis.local_server import SharedServer
from bot.aio import end
from bot.errors import StoreDown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from redis.asyncio import Redis

    from adapters.redis.settings import RedisSettings

WATCH_SECONDS = 1.0

log = structlog.get_logger()


class EmbeddedStore:
    """A store below the data folder; what was written survives the end of all processes.

    It is served by the first engine that runs on this machine. Where none does, it is kept in the
    memory of this process, with a warning.
    """

    def __init__(
        self, data: Path, settings: RedisSettings, names: Iterable[str] = engines.ENGINES
    ) -> None:
        self.engine = "memory"
        self._data = data
        self._settings = settings
        self._names = tuple(names)
        self._server: SharedServer | None = None
        self._client: Redis | None = None
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> Redis:
        """Start the server, or attach to the one that runs; raises `StoreDown`."""
        engine = await asyncio.to_thread(engines.find, self._names)
        if engine is None:
            log.warning("store_in_memory", meaning="nothing survives the end of this process")
            self._client = FakeAsyncRedis(server=FakeServer(), protocol=2, decode_responses=True)
            return self._client
        self.engine = engine.name
        self._server = SharedServer(engine, self._data / engine.folder)
        is_new = await self._join(self._server)
        log.info("store_ready", engine=engine.name, folder=str(self._server.folder), new=is_new)
        self._watching = asyncio.create_task(self._watch(self._server))
        self._client = connect(f"unix://{quote(str(self._server.socket))}", self._settings)
        return self._client

    async def stop(self) -> None:
        """Close the client, and stop the server if no other process uses it."""
        if self._watching:
            await end(self._watching)
        if self._client:
            await self._client.aclose()
        if self._server:
            await self._leave(self._server)

    async def __aenter__(self) -> Redis:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _join(self, server: SharedServer) -> bool:
        """Join the server; a caller that is cancelled while joining leaves it again."""
        atexit.register(server.leave)
        joining = asyncio.ensure_future(asyncio.to_thread(server.join))
        try:
            return await asyncio.shield(joining)
        except asyncio.CancelledError:
            with suppress(StoreDown):
                await joining
            await self._leave(server)
            raise

    async def _leave(self, server: SharedServer) -> None:
        is_last = await asyncio.to_thread(server.leave)
        atexit.unregister(server.leave)
        log.info("store_left", stopped=is_last)

    async def _watch(self, server: SharedServer) -> None:
        """Start the server again when it dies under its users."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                if await asyncio.to_thread(server.revive):
                    log.error("store_had_died", folder=str(server.folder))
            except StoreDown as error:
                log.error("store_stays_down", error=str(error))
