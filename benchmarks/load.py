"""The load: requests over some connections at once."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from yarl import URL

Writer = Callable[[URL, int], Iterator[bytes]]
"""Writes whole requests to an address without end, from the one of that number on."""

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: `first` is the number of the first message."""

    url: str
    writer: Writer
    first: int
    seconds: float
    connections: int = 16


@dataclass(frozen=True, slots=True)
class Result:
    """How long each answer took, in seconds, and how long all did."""

    seconds: float
    durations: list[float]

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.durations) / self.seconds


def run(load: Load) -> Result:
    """Send it all; raises `RuntimeError` when anything is refused. For a process of its own."""
    return asyncio.run(_run(load))


async def _run(load: Load) -> Result:
    requests = load.writer(URL(load.url), load.first)
    durations: list[float] = []
    start = time.perf_counter()
    callers = (_call(load, requests, durations, start) for _ in range(load.connections))
    await asyncio.gather(*callers)
    return Result(time.perf_counter() - start, durations)


async def _call(
    load: Load, requests: Iterator[bytes], durations: list[float], start: float
) -> None:
    """Send and wait for the answer, again and again, until the time is over."""
    url = URL(load.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    while (begin := time.perf_counter()) < start + load.seconds:
        writer.write(next(requests))
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        await reader.readexactly(int(length[1]) if length else 0)
        durations.append(time.perf_counter() - begin)
        if head[9:10] != b"2":
            raise RuntimeError(f"{load.url} answered {head.splitlines()[0].decode()}")
    writer.close()
    await writer.wait_closed()
