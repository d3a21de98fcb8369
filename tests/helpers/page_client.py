"""Clients of the local page, and what they upload."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.servers.page import ServedPage

CONVERSATION = "a" * 32
PHOTO_LIMIT = 500_000
UPLOAD_LIMIT = 1_000_000


@asynccontextmanager
async def stranger(page: ServedPage) -> AsyncIterator[aiohttp.ClientSession]:
    """Call the page without its token."""
    jar = aiohttp.CookieJar(unsafe=True)
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(page.origin, cookie_jar=jar, timeout=timeout) as client:
        yield client


async def upload(client: aiohttp.ClientSession, data: Any, name: str = "a.jpg") -> Any:
    path = f"/page/files?conversation={CONVERSATION}"
    return await client.post(path, data=data, headers={"X-File-Name": name})
