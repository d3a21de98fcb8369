"""Accepting messages: Loupe beside botbuilder's own adapter and a handler that does nothing.

    python -m benchmarks.acks [ROUNDS]

Each server has a process of its own, and so has the load. In each round every server gets the
same load in turn, so that what else the machine does hits them alike; Loupe starts each round
anew with an empty store.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.deliveries import Deliveries
from benchmarks.figures import memory_table, table, verdict
from benchmarks.load import Load, Result, run
from benchmarks.measured import Measured
from benchmarks.processes import Server
from benchmarks.servers import PATH
from tests.servers.openai import KEY, Hang, OpenAIServer, say
from tests.servers.openid import OpenIdServer
from tests.servers.teams import TeamsServer
from tests.servers.teams_services import APP_ID, PASSWORD

if TYPE_CHECKING:
    from benchmarks.memory import Memory

ROUNDS = 3
SECONDS = 2.5
WARM_SECONDS = 0.5
NEW_TOKENS = 2000
"""More than Loupe remembers, so that used in turn each is new to it."""
TIMES_AIM = 10
STALL_AIM = 0.05

BARE = "bare aiohttp handler"
STOCK = "botbuilder CloudAdapter"
LOUPE = "Loupe"
NEW = "Loupe, every token new"
BUSY = "Loupe, answering as well"

WAITING = {"LOUPE_MAX_TURNS": 1, "LOUPE_NOTICE_SECONDS": 600}
"""Every message waits for the first one, whose answer never comes, and nobody is told so."""


class Bench:
    """The services around the servers, the load, and what was measured."""

    def __init__(self, folder: Path, pool: ProcessPoolExecutor) -> None:
        self.keys = OpenIdServer()
        self.connector = TeamsServer(authorize=True)
        self.model = OpenAIServer()
        self.measured = {name: Measured() for name in (BARE, STOCK, LOUPE, NEW, BUSY)}
        self.memory: dict[str, Memory] = {}
        self.turns: list[float] = []
        self._folder = folder
        self._pool = pool
        self._sent = 0

    def server(self, kind: str, folder: str = "", **settings: Any) -> Server:
        """Make a server, not yet started."""
        shared = {
            "MicrosoftAppId": APP_ID,
            "MicrosoftAppPassword": PASSWORD,
            "LOUPE_CONNECTOR_HOSTS": self.connector.host,
            "LOUPE_OPENID_URL": self.keys.url,
            "LOUPE_TOKEN_URL": self.connector.origin,
            "OPENAI_BASE_URL": f"{self.model.url}/v1",
            "OPENAI_API_KEY": KEY,
            "OPENAI_MODEL": "gpt-4o",
            "LOUPE_HOST": "127.0.0.1",
            "LOUPE_SHUTDOWN_SECONDS": 0,
        }
        return Server(kind, self._folder / (folder or kind), shared | settings)

    def tokens(self, count: int = 1) -> tuple[str, ...]:
        """Sign tokens as the Bot Framework does; it uses each for an hour."""
        return tuple(
            self.keys.token(APP_ID, self.connector.url, jti=str(number)) for number in range(count)
        )

    async def measure(self, name: str, server: Server, tokens: tuple[str, ...]) -> None:
        """Put the load on a server, a little to warm it up, and note what came of the rest."""
        await self._load(server, tokens, WARM_SECONDS)
        await server.look()
        self.measured[name].results.append(await self._load(server, tokens, SECONDS))
        self.measured[name].seen.append(await server.look())

    async def waiting(self, name: str, folder: str, tokens: tuple[str, ...]) -> None:
        """Measure how Loupe accepts messages while none is answered."""
        self.model.default = Hang()
        async with self.server("loupe", folder, **WAITING) as loupe:
            self.memory = {"ready": loupe.memory}
            before = self._sent
            await self.measure(name, loupe, tokens)
            self.memory[f"with {self._sent - before} messages waiting"] = loupe.memory

    async def answering(self, folder: str, one: tuple[str, ...]) -> None:
        """Measure how Loupe accepts messages while it answers as many as it can."""
        self.model.default = say("A red car.")
        async with self.server("loupe", folder) as loupe:
            before, start = len(self.model.requests), time.perf_counter()
            await self.measure(BUSY, loupe, one)
            turns = len(self.model.requests) - before
            self.turns.append(turns / (time.perf_counter() - start))

    async def _load(self, server: Server, tokens: tuple[str, ...], seconds: float) -> Result:
        writer = Deliveries(self.connector.url, tokens)
        load = Load(f"{server.origin}{PATH}", writer, self._sent, seconds)
        result = await asyncio.get_running_loop().run_in_executor(self._pool, run, load)
        self._sent += len(result.taken)
        return result


async def measure(rounds: int) -> Bench:
    """Measure all servers."""
    spawn = multiprocessing.get_context("spawn")
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pool = stack.enter_context(ProcessPoolExecutor(1, spawn))
        bench = Bench(folder, pool)
        for service in (bench.keys, bench.connector, bench.model):
            await stack.enter_async_context(service)
        bare = await stack.enter_async_context(bench.server("aiohttp"))
        stock = await stack.enter_async_context(bench.server("botbuilder"))
        one, new = bench.tokens(), bench.tokens(NEW_TOKENS)
        for number in range(rounds):
            await bench.measure(BARE, bare, one)
            await bench.measure(STOCK, stock, one)
            await bench.waiting(LOUPE, f"loupe-{number}", one)
            await bench.waiting(NEW, f"new-{number}", new)
            await bench.answering(f"answering-{number}", one)
        return bench


def report(bench: Bench) -> None:
    """Print the results beside each other."""
    stock, loupe = bench.measured[STOCK], bench.measured[LOUPE]
    table(
        "Accepting messages: POST /api/messages over 16 connections",
        ("", "acks/s", "times", "p50 ms", "p99 ms", "CPU ms", "stall p99.9 ms", "max ms"),
        [
            (name, f"{each.rate:.0f}", f"{each.rate / stock.rate:.1f}", *milliseconds(each))
            for name, each in bench.measured.items()
        ],
    )
    print(f"\n  Answering as well, Loupe did {statistics.median(bench.turns):.0f} turns/s.")
    times, stall = loupe.rate / stock.rate, loupe.stall(0.999)
    verdict(f"{times:.1f} times CloudAdapter", f"{TIMES_AIM}", reached=times >= TIMES_AIM)
    late = f"Event loop late by {stall * 1e3:.0f} ms at p99.9"
    verdict(late, f"{STALL_AIM * 1e3:.0f} ms", reached=stall <= STALL_AIM)
    memory_table(bench.memory)


def milliseconds(each: Measured) -> list[str]:
    """Write the times of a server: to an answer, of its processor, of its event loop."""
    times = (each.taken(0.5), each.taken(0.99), each.cpu, each.stall(0.999), each.stall(1))
    return [f"{time * 1e3:.2f}" if time < 0.01 else f"{time * 1e3:.0f}" for time in times]


def main(rounds: int = ROUNDS) -> None:
    """Measure and print."""
    report(asyncio.run(measure(rounds)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
