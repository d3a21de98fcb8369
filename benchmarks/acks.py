"""Accepting messages: Loupe beside botbuilder's own adapter and a handler that does nothing.

    python -m benchmarks.acks [ROUNDS]

Loupe starts each round anew with an empty store.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.deliveries import Deliveries
from benchmarks.figures import memory_table, verdict
from benchmarks.servers import PATH
from benchmarks.trial import BUSY_SETTINGS, ROUNDS, Trial
from tests.servers.openai import Hang, say
from tests.servers.openid import OpenIdServer
from tests.servers.teams import TeamsServer
from tests.servers.teams_services import APP_ID, PASSWORD

if TYPE_CHECKING:
    from benchmarks.memory import Memory

NEW_TOKENS = 2000
"""More than Loupe remembers, so that used in turn each is new to it."""
TIMES_AIM = 10
STALL_AIM = 0.05

BARE = "bare aiohttp handler"
STOCK = "botbuilder CloudAdapter"
LOUPE = "Loupe"
NEW = "Loupe, every token new"
BUSY = "Loupe, answering as well"


class Teams:
    """The services of Teams around the servers, and what was measured beside the trial."""

    def __init__(self, trial: Trial) -> None:
        self.keys = OpenIdServer()
        self.connector = TeamsServer(authorize=True)
        self.memory: dict[str, Memory] = {}
        self.turns: list[float] = []
        self._trial = trial

    async def start(self) -> None:
        """Start the services, and have the servers know them."""
        await self._trial.enter(self.keys, self.connector)
        self._trial.settings |= {
            "MicrosoftAppId": APP_ID,
            "MicrosoftAppPassword": PASSWORD,
            "LOUPE_CONNECTOR_HOSTS": self.connector.host,
            "LOUPE_OPENID_URL": self.keys.url,
            "LOUPE_TOKEN_URL": self.connector.origin,
        }

    def deliveries(self, tokens: int = 1) -> Deliveries:
        """Make deliveries with so many tokens; the Bot Framework uses each for an hour."""
        bearer_tokens = (
            self.keys.token(APP_ID, self.connector.url, jti=str(number)) for number in range(tokens)
        )
        return Deliveries(self.connector.url, tuple(bearer_tokens))

    async def waiting(self, name: str, folder: str, deliveries: Deliveries) -> None:
        """Measure how Loupe accepts messages while none is answered."""
        trial = self._trial
        trial.model.default = Hang()
        async with trial.server("loupe", folder, **BUSY_SETTINGS) as loupe:
            self.memory = {"ready": loupe.memory}
            before = trial.sent
            await trial.measure(name, loupe, deliveries)
            self.memory[f"with {trial.sent - before} messages waiting"] = loupe.memory

    async def answering(self, folder: str, deliveries: Deliveries) -> None:
        """Measure how Loupe accepts messages while it answers as many as it can."""
        trial = self._trial
        trial.model.default = say("A red car.")
        async with trial.server("loupe", folder) as loupe:
            before, start = len(trial.model.requests), time.perf_counter()
            await trial.measure(BUSY, loupe, deliveries)
            turns = len(trial.model.requests) - before
            self.turns.append(turns / (time.perf_counter() - start))


async def measure(rounds: int) -> None:
    """Measure all servers, and print it."""
    async with Trial(PATH, (BARE, STOCK, LOUPE, NEW, BUSY)) as trial:
        teams = Teams(trial)
        await teams.start()
        bare, stock = trial.server("aiohttp"), trial.server("botbuilder")
        await trial.enter(bare, stock)
        one, new = teams.deliveries(), teams.deliveries(NEW_TOKENS)
        for number in range(rounds):
            await trial.measure(BARE, bare, one)
            await trial.measure(STOCK, stock, one)
            await teams.waiting(LOUPE, f"loupe-{number}", one)
            await teams.waiting(NEW, f"new-{number}", new)
            await teams.answering(f"answering-{number}", one)
        report(trial, teams)


def report(trial: Trial, teams: Teams) -> None:
    """Print the results beside each other."""
    trial.report("Accepting messages", beside=STOCK)
    print(f"\n  Answering as well, Loupe did {statistics.median(teams.turns):.0f} turns/s.")
    stock, loupe = trial.measured[STOCK], trial.measured[LOUPE]
    times, stall = loupe.rate / stock.rate, loupe.stall(0.999)
    verdict(f"{times:.1f} times CloudAdapter", f"{TIMES_AIM}", success=times >= TIMES_AIM)
    late = f"Event loop late by {stall * 1e3:.0f} ms at p99.9"
    verdict(late, f"{STALL_AIM * 1e3:.0f} ms", success=stall <= STALL_AIM)
    memory_table(teams.memory)


def main(rounds: int = ROUNDS) -> None:
    """Measure and print."""
    asyncio.run(measure(rounds))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
