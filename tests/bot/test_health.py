"""Whether Loupe lives and can work, as it tells whatever watches over it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot import health
from bot.errors import StoreDown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Loupe:
    """A store that answers or not, and work that is taken or not."""

    def __init__(self) -> None:
        self.problem: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.works = True

    async def ping(self) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.problem is not None:
            raise self.problem


@pytest.fixture
def loupe() -> Loupe:
    return Loupe()


@pytest.fixture
async def client(loupe: Loupe) -> AsyncIterator[TestClient[Any, Any]]:
    app = web.Application()
    app.add_routes(health.health(loupe.ping, lambda: loupe.works))
    async with TestClient(TestServer(app)) as client:
        yield client


async def told(client: TestClient[Any, Any], path: str) -> tuple[int, str]:
    async with client.get(path) as response:
        return response.status, (await response.json())["status"]


async def test_it_is_ready_while_the_store_answers(client: TestClient[Any, Any]) -> None:
    assert await told(client, "/readyz") == (200, "ready")
    assert await told(client, "/healthz") == (200, "alive")


@pytest.mark.parametrize("late", [False, True])
async def test_it_is_not_ready_while_the_store_is_away(
    client: TestClient[Any, Any], loupe: Loupe, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    monkeypatch.setattr(health, "PING_SECONDS", 0.05)
    loupe.problem = StoreDown()
    loupe.gate = asyncio.Event() if late else None
    assert await told(client, "/readyz") == (503, "the store is away")
    assert await told(client, "/healthz") == (200, "alive")


async def test_it_is_not_ready_while_no_work_is_taken(
    client: TestClient[Any, Any], loupe: Loupe
) -> None:
    loupe.works = False
    assert await told(client, "/readyz") == (503, "no work is taken")
    assert await told(client, "/healthz") == (200, "alive")
