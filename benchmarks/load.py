"""The load: messages over some connections at once, each message with an id of its own."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yarl import URL

from benchmarks.messages import channel, message

if TYPE_CHECKING:
    from collections.abc import Iterator

PER_THREAD = 10
"""Messages of each thread; Loupe lets 20 wait."""
ID = "000000000000"
THREAD = "111111111111"
"""Stand in the text of a message for what it gets, which is as long."""
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: `first` numbers the first message, `tokens` are used in turn."""

    url: str
    service: str
    tokens: tuple[str, ...]
    first: int
    seconds: float
    connections: int = 16


@dataclass(frozen=True, slots=True)
class Result:
    """How long each answer took, in seconds, and how long all did."""

    seconds: float
    taken: list[float]

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.taken) / self.seconds


def run(load: Load) -> Result:
    """Send it all; raises `RuntimeError` when anything is refused. For a process of its own."""
    return asyncio.run(_run(load))


async def _run(load: Load) -> Result:
    requests = _requests(load)
    taken: list[float] = []
    start = time.perf_counter()
    callers = (_call(load, requests, taken, start) for _ in range(load.connections))
    await asyncio.gather(*callers)
    return Result(time.perf_counter() - start, taken)


async def _call(load: Load, requests: Iterator[bytes], taken: list[float], start: float) -> None:
    """Send and wait for the answer, again and again, until the time is over."""
    url = URL(load.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    while (sent := time.perf_counter()) < start + load.seconds:
        writer.write(next(requests))
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        await reader.readexactly(int(length[1]) if length else 0)
        taken.append(time.perf_counter() - sent)
        if head[9:10] != b"2":
            raise RuntimeError(f"{load.url} answered {head.splitlines()[0].decode()}")
    writer.close()
    await writer.wait_closed()


def _requests(load: Load) -> Iterator[bytes]:
    """Write the requests; only ids differ, so the rest is written once for each token."""
    body = json.dumps(message(load.service, ID, channel(THREAD)))
    heads = itertools.cycle([_head(load, token, len(body)) for token in load.tokens])
    for number in itertools.count(load.first):
        ids = body.replace(ID, f"{number:012}").replace(THREAD, f"{number // PER_THREAD:012}")
        yield next(heads) + ids.encode()


def _head(load: Load, token: str, length: int) -> bytes:
    url = URL(load.url)
    return (
        f"POST {url.path} HTTP/1.1\r\n"
        f"Host: {url.authority}\r\n"
        f"Authorization: Bearer {token}\r\n"
        "Content-Type: application/json; charset=utf-8\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()
