"""The proxy is trusted by many tests, so what it does to a connection is tested itself."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from tests.servers.tcp_proxy import TcpProxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def proxy() -> AsyncIterator[TcpProxy]:
    """A proxy in front of a server that answers each line with the same line."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            heard.append(line)
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with TcpProxy(f"127.0.0.1:{port}") as proxy:
        yield proxy
    server.close()
    heard.clear()


heard: list[bytes] = []


async def ask(proxy: TcpProxy, line: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(line)
        return await asyncio.wait_for(reader.readline(), 5)
    except ConnectionError:
        return b"reset"
    finally:
        writer.close()


async def test_a_reply_passes_unless_something_is_asked_for(proxy: TcpProxy) -> None:
    assert await ask(proxy, b"hello\n") == b"hello\n"


async def test_a_lost_reply_was_heard_and_only_one_is_lost(proxy: TcpProxy) -> None:
    proxy.lose_reply()
    assert await ask(proxy, b"one\n") in (b"", b"reset")
    assert heard == [b"one\n"]
    assert await ask(proxy, b"two\n") == b"two\n"


async def test_a_refusing_proxy_serves_again_when_it_stops(proxy: TcpProxy) -> None:
    proxy.refusing = True
    assert await ask(proxy, b"one\n") in (b"", b"reset")
    proxy.refusing = False
    assert await ask(proxy, b"two\n") == b"two\n"
    assert heard == [b"two\n"]


async def test_throttled_replies_take_their_time(proxy: TcpProxy) -> None:
    proxy.throttle = 10_000
    start = time.monotonic()
    assert len(await ask(proxy, b"x" * 3_000 + b"\n")) == 3_001
    assert 0.25 < time.monotonic() - start < 3


async def test_a_half_closed_connection_still_carries_requests(proxy: TcpProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"one\n")
    assert await reader.readline() == b"one\n"
    proxy.half_close()
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.write(b"two\n")
    async with asyncio.timeout(5):
        while heard != [b"one\n", b"two\n"]:
            await asyncio.sleep(0.01)
    writer.close()


async def test_a_reset_ends_open_connections(proxy: TcpProxy) -> None:
    proxy.delay = 60
    asking = asyncio.create_task(ask(proxy, b"one\n"))
    async with asyncio.timeout(5):
        while not heard:
            await asyncio.sleep(0.01)
    proxy.reset()
    assert await asyncio.wait_for(asking, 5) in (b"", b"reset")
