"""Bodies of requests: what is read of them, and what is not."""

from __future__ import annotations

import asyncio
import gzip
import json
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientError, ClientSession, web
from hypothesis import given
from hypothesis import strategies as st

from adapters.http.request_body import (
    MOST_NESTED,
    BodyTooLarge,
    BodyTooSlow,
    MalformedBody,
    decode_json,
    read_body,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Reader:
    """A server that reads bodies, and what became of each."""

    def __init__(self, most: int, seconds: float) -> None:
        self._bounds = most, seconds
        self.url = ""
        self.read: asyncio.Queue[bytes | Exception] = asyncio.Queue()

    async def receive(self, request: web.Request) -> web.Response:
        try:
            self.read.put_nowait(bytes(await read_body(request, *self._bounds)))
        except ValueError as problem:
            self.read.put_nowait(problem)
        return web.Response()

    async def next(self) -> bytes | Exception:
        async with asyncio.timeout(5):
            return await self.read.get()


@asynccontextmanager
async def reading(most: int = 100, seconds: float = 5) -> AsyncIterator[Reader]:
    reader = Reader(most, seconds)
    application = web.Application()
    application.router.add_post("/", reader.receive)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        reader.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield reader
    finally:
        await runner.cleanup()


async def post(reader: Reader, body: Any, **headers: str) -> bytes | Exception:
    async with ClientSession() as session, session.post(reader.url, data=body, headers=headers):
        return await reader.next()


async def begun(reader: Reader) -> asyncio.StreamWriter:
    """Send the head of a request whose body never comes whole."""
    port = int(reader.url.rsplit(":", 1)[1].rstrip("/"))
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\r\nHost: loupe\r\nContent-Length: 90\r\n\r\n{")
    await writer.drain()
    return writer


@pytest.mark.parametrize("length", [0, 1, 100])
async def test_a_body_within_the_limit_is_read_whole(length: int) -> None:
    async with reading(most=100) as reader:
        assert await post(reader, b"x" * length) == b"x" * length


async def test_a_body_beyond_the_limit_is_too_large() -> None:
    async with reading(most=100) as reader:
        problem = await post(reader, b"x" * 101)
    assert isinstance(problem, BodyTooLarge)
    assert "100 bytes" in str(problem)


async def test_a_body_counts_as_it_is_unpacked() -> None:
    async with reading(most=100) as reader:
        packed = {"Content-Encoding": "gzip"}
        assert await post(reader, gzip.compress(b"x" * 100), **packed) == b"x" * 100
        bomb = gzip.compress(b"x" * 1_000_000)
        assert isinstance(await post(reader, bomb, **packed), BodyTooLarge)


async def test_a_body_that_only_says_it_is_packed_is_malformed() -> None:
    async with reading() as reader:
        try:
            problem = await post(reader, b"plain", **{"Content-Encoding": "gzip"})
        except ClientError:
            problem = await reader.next()
    assert isinstance(problem, MalformedBody)


async def test_a_body_that_dawdles_is_too_slow() -> None:
    async with reading(seconds=0.05) as reader:
        writer = await begun(reader)
        assert isinstance(await reader.next(), BodyTooSlow)
        writer.close()


async def test_a_body_that_breaks_off_is_malformed() -> None:
    async with reading() as reader:
        writer = await begun(reader)
        writer.transport.abort()
        assert isinstance(await reader.next(), MalformedBody)


def nested(levels: int) -> dict[str, Any]:
    """Objects and arrays in turn, so many inside each other."""
    value: Any = {}
    for level in range(levels - 2):
        value = [value] if level % 2 else {"a": value}
    return {"x": value}


@pytest.mark.parametrize("body", [b'{"a": [1, "b", null]}', bytearray(b'{"a": [1, "b", null]}')])
def test_an_object_is_decoded(body: bytes | bytearray) -> None:
    assert decode_json(body) == {"a": [1, "b", None]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'"x"',
        b"5",
        b"null",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a":' * 5000,
        b"[" * 100_000,
        b"9" * 5000,
    ],
)
def test_everything_else_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        decode_json(body)


def test_an_object_may_be_nested_so_far() -> None:
    whole = nested(MOST_NESTED)
    assert decode_json(json.dumps(whole).encode()) == whole
    with pytest.raises(MalformedBody, match="nested"):
        decode_json(json.dumps(nested(MOST_NESTED + 1)).encode())


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert decode_json(b'{"a": "\\ud83d\\udcf7 \\uD83D!"}') == {"a": "\N{CAMERA} ?!"}


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    with suppress(MalformedBody):
        assert isinstance(decode_json(body), dict)
