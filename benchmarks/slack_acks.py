"""Accepting Slack's events: Loupe beside Bolt's own server and a handler that does nothing.

    python -m benchmarks.slack_acks [ROUNDS]

Loupe starts each round anew with an empty store; each event is signed on its own.
"""

from __future__ import annotations

import asyncio
import sys

from benchmarks.deliveries import SlackDeliveries
from benchmarks.figures import verdict
from benchmarks.trial import BUSY_SETTINGS, ROUNDS, Trial
from tests.helpers.slack_payloads import SECRET
from tests.servers.openai import Hang, say
from tests.servers.slack import TOKEN, SlackServer

PATH = "/slack/events"
LIMIT = 3.0
"""Seconds within which Slack wants its answer."""
AIM = 0.2

BARE = "bare aiohttp handler"
BOLT = "Bolt, storing nothing"
LOUPE = "Loupe"
BUSY = "Loupe, answering as well"


async def measure(rounds: int) -> None:
    """Measure all servers, and print it."""
    async with Trial(PATH, (BARE, BOLT, LOUPE, BUSY)) as trial:
        slack = SlackServer()
        await trial.enter(slack)
        trial.settings |= {
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": slack.api_url,
        }
        bare, bolt = trial.server("aiohttp"), trial.server("bolt")
        await trial.enter(bare, bolt)
        deliveries = SlackDeliveries(SECRET)
        for number in range(rounds):
            await trial.measure(BARE, bare, deliveries)
            await trial.measure(BOLT, bolt, deliveries)
            trial.model.default = Hang()
            async with trial.server("loupe", f"loupe-{number}", **BUSY_SETTINGS) as loupe:
                await trial.measure(LOUPE, loupe, deliveries)
            trial.model.default = say("A red car.")
            async with trial.server("loupe", f"answering-{number}") as loupe:
                await trial.measure(BUSY, loupe, deliveries)
        report(trial)


def report(trial: Trial) -> None:
    """Print the results beside each other."""
    trial.report("Accepting Slack's events", beside=BOLT)
    share = max(trial.measured[name].latency(1) for name in (LOUPE, BUSY)) / LIMIT
    verdict(
        f"Slowest answer {share:.0%} of Slack's three seconds", f"{AIM:.0%}", success=share <= AIM
    )


def main(rounds: int = ROUNDS) -> None:
    """Measure and print."""
    asyncio.run(measure(rounds))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
