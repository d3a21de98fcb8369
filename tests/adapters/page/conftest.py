"""The local page on a store of its own, and a client of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from tests.helpers.page_client import PHOTO_LIMIT, UPLOAD_LIMIT, stranger
from tests.servers.page import serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import aiohttp
    from redis.asyncio import Redis

    from tests.servers.page import ServedPage


@pytest.fixture
async def redis() -> AsyncIterator[Redis]:
    """An empty store."""
    client = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
    yield client
    await client.aclose()


@pytest.fixture
async def limited_page(redis: Redis, tmp_path: Path) -> AsyncIterator[ServedPage]:
    """A page that takes short questions and small files only."""
    limits = {"max_photo_bytes": PHOTO_LIMIT, "max_video_bytes": UPLOAD_LIMIT}
    async with serve(redis, tmp_path, max_question=100, **limits) as page:
        yield page


@pytest.fixture
async def browser(limited_page: ServedPage) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that came in with the token."""
    async with stranger(limited_page) as client:
        assert (await client.get("/", params={"token": limited_page.token})).status == 200
        yield client
