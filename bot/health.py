"""Health checks: whether the process lives, and whether it can work."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from bot.errors import StoreDown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PING_SECONDS = 2.0
"""Seconds that the store may take to answer."""


def health(ping: Callable[[], Awaitable[None]], works: Callable[[], bool]) -> list[web.RouteDef]:
    """Return routes for `/healthz` and `/readyz`; `ping` asks the store and raises `StoreDown`."""

    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def ready(_: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(PING_SECONDS):
                await ping()
        except (StoreDown, TimeoutError):
            return web.json_response({"status": "the store is away"}, status=503)
        if not works():
            return web.json_response({"status": "no work is taken"}, status=503)
        return web.json_response({"status": "ready"})

    return [web.get("/healthz", alive), web.get("/readyz", ready)]
