"""Servers that take turns under the same load.

Each server has a process of its own, and so has the load. In each round every server gets the
same load in turn, so that what else the machine does hits them alike.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from benchmarks.figures import table
from benchmarks.load import Load, Result, run
from benchmarks.measured import Measured
from benchmarks.processes import Server
from tests.servers.openai import KEY, OpenAIServer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from benchmarks.load import Writer

ROUNDS = 3
SECONDS = 2.5
WARM_SECONDS = 0.5

BUSY_SETTINGS = {"LOUPE_MAX_TURNS": 1, "LOUPE_NOTICE_SECONDS": 600}
"""Every message waits for the first one, whose answer never comes, and nobody is told so."""


class Trial:
    """What was measured of servers by their names; use `async with`.

    The servers get the `settings`. Requests that were `sent` are counted, so that each has a number
    of its own.
    """

    def __init__(self, path: str, names: Sequence[str]) -> None:
        self.model = OpenAIServer()
        self.measured = {name: Measured() for name in names}
        self.sent = 0
        self.settings: dict[str, Any] = {
            "OPENAI_API_KEY": KEY,
            "OPENAI_MODEL": "gpt-4o",
            "LOUPE_HOST": "127.0.0.1",
            "LOUPE_SHUTDOWN_SECONDS": 0,
        }
        self._path = path
        self._stack = AsyncExitStack()
        self._folder: Path
        self._pool: ProcessPoolExecutor

    async def __aenter__(self) -> Self:
        spawn = multiprocessing.get_context("spawn")
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._pool = self._stack.enter_context(ProcessPoolExecutor(1, spawn))
        await self.enter(self.model)
        self.settings["OPENAI_BASE_URL"] = f"{self.model.url}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def enter(self, *things: AbstractAsyncContextManager[object]) -> None:
        """Start what runs to the end of the trial."""
        for thing in things:
            await self._stack.enter_async_context(thing)

    def server(self, kind: str, folder: str = "", **settings: Any) -> Server:
        """Make a server, not yet started, with an empty store in a folder of its own."""
        return Server(kind, self._folder / (folder or kind), self.settings | settings)

    async def measure(self, name: str, server: Server, writer: Writer) -> None:
        """Put the load on a server, a little to warm it up, and note what came of the rest."""
        await self._load(server, writer, WARM_SECONDS)
        await server.look()
        self.measured[name].results.append(await self._load(server, writer, SECONDS))
        self.measured[name].usage.append(await server.look())

    def report(self, title: str, beside: str) -> None:
        """Print what was measured, the rates beside that of one of the servers."""
        whole = self.measured[beside].rate
        table(
            f"{title}: POST {self._path} over 16 connections",
            ("", "acks/s", "times", "p50 ms", "p99 ms", "CPU ms", "stall p99.9 ms", "max ms"),
            [
                (name, f"{each.rate:.0f}", f"{each.rate / whole:.1f}", *_milliseconds(each))
                for name, each in self.measured.items()
            ],
        )

    async def _load(self, server: Server, writer: Writer, seconds: float) -> Result:
        load = Load(f"{server.origin}{self._path}", writer, self.sent, seconds)
        result = await asyncio.get_running_loop().run_in_executor(self._pool, run, load)
        self.sent += len(result.durations)
        return result


def _milliseconds(each: Measured) -> list[str]:
    """Write the times of a server: to an answer, of its processor, of its event loop."""
    times = (each.latency(0.5), each.latency(0.99), each.cpu, each.stall(0.999), each.stall(1))
    return [f"{time * 1e3:.2f}" if time < 0.01 else f"{time * 1e3:.0f}" for time in times]
