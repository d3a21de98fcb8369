"""Accepting Slack's events: Loupe beside Bolt's own server and a handler that does nothing.

    python -m benchmarks.slack_acks [ROUNDS]

As in `benchmarks.acks`, with events that are signed one by one.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from benchmarks.acks import ROUNDS, SECONDS, WAITING, WARM_SECONDS, milliseconds
from benchmarks.deliveries import SlackDeliveries
from benchmarks.figures import table, verdict
from benchmarks.load import Load, Result, run
from benchmarks.measured import Measured
from benchmarks.processes import Server
from tests.servers.openai import KEY, Hang, OpenAIServer, say
from tests.servers.slack import TOKEN, SlackServer
from tests.slack_posts import SECRET

LIMIT = 3.0
"""Seconds within which Slack wants its answer."""

BARE = "bare aiohttp handler"
BOLT = "Bolt, storing nothing"
LOUPE = "Loupe"
BUSY = "Loupe, answering as well"


class Bench:
    """The services around the servers, the load, and what was measured."""

    def __init__(self, folder: Path, pool: ProcessPoolExecutor) -> None:
        self.slack = SlackServer()
        self.model = OpenAIServer()
        self.measured = {name: Measured() for name in (BARE, BOLT, LOUPE, BUSY)}
        self._folder = folder
        self._pool = pool
        self._sent = 0

    def server(self, kind: str, folder: str = "", **settings: Any) -> Server:
        """Make a server, not yet started."""
        shared = {
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": self.slack.api_url,
            "OPENAI_BASE_URL": f"{self.model.url}/v1",
            "OPENAI_API_KEY": KEY,
            "OPENAI_MODEL": "gpt-4o",
            "LOUPE_HOST": "127.0.0.1",
            "LOUPE_SHUTDOWN_SECONDS": 0,
        }
        return Server(kind, self._folder / (folder or kind), shared | settings)

    async def measure(self, name: str, server: Server) -> None:
        """Put the load on a server, a little to warm it up, and note what came of the rest."""
        await self._load(server, WARM_SECONDS)
        await server.look()
        self.measured[name].results.append(await self._load(server, SECONDS))
        self.measured[name].seen.append(await server.look())

    async def loupe(self, name: str, folder: str, **settings: Any) -> None:
        """Measure Loupe with an empty store."""
        self.model.default = say("A red car.") if name == BUSY else Hang()
        async with self.server("loupe", folder, **settings) as loupe:
            await self.measure(name, loupe)

    async def _load(self, server: Server, seconds: float) -> Result:
        load = Load(f"{server.origin}/slack/events", SlackDeliveries(SECRET), self._sent, seconds)
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
        for service in (bench.slack, bench.model):
            await stack.enter_async_context(service)
        bare = await stack.enter_async_context(bench.server("aiohttp"))
        bolt = await stack.enter_async_context(bench.server("bolt"))
        for number in range(rounds):
            await bench.measure(BARE, bare)
            await bench.measure(BOLT, bolt)
            await bench.loupe(LOUPE, f"loupe-{number}", **WAITING)
            await bench.loupe(BUSY, f"answering-{number}")
        return bench


def report(bench: Bench) -> None:
    """Print the results beside each other."""
    bolt, busy = bench.measured[BOLT], bench.measured[BUSY]
    table(
        "Accepting Slack's events: POST /slack/events over 16 connections",
        ("", "acks/s", "times", "p50 ms", "p99 ms", "CPU ms", "stall p99.9 ms", "max ms"),
        [
            (name, f"{each.rate:.0f}", f"{each.rate / bolt.rate:.1f}", *milliseconds(each))
            for name, each in bench.measured.items()
        ],
    )
    slowest = max(busy.taken(1), bench.measured[LOUPE].taken(1))
    share = slowest / LIMIT
    verdict(f"Slowest answer {share:.0%} of Slack's three seconds", "20%", reached=share <= 0.2)


def main(rounds: int = ROUNDS) -> None:
    """Measure and print."""
    report(asyncio.run(measure(rounds)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
