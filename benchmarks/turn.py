"""What Loupe adds to the model's own time: from a message to the last edit of its answer.

    python -m benchmarks.turn [ROUNDS]

The whole bot runs in the playground mode in a process of its own. The connector that it fetches
the photo from and sends its answer to, a model that takes a fixed time, and a vision service that
takes none run in this one. In one row photos are looked at by the engine on this machine instead.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession

from benchmarks.figures import memory_table, percentile, table
from benchmarks.messages import group, message, personal
from benchmarks.processes import Server
from benchmarks.scenes import small
from benchmarks.servers import PATH
from tests.servers.image_analysis import KEY as VISION_KEY
from tests.servers.image_analysis import ImageAnalysisServer
from tests.servers.openai import KEY, OpenAIServer, say
from tests.servers.teams import TeamsServer

if TYPE_CHECKING:
    from aiohttp import web

    from benchmarks.memory import Memory

ROUNDS = 6
FIRST_TOKEN, REST = 0.05, 0.15
ANSWER = ("A red car ", "before a sign that says LOUPE.")
PATIENCE = 30

Place = Callable[[str], dict[str, Any]]
Round = Callable[[str, ClientSession], Awaitable[dict[str, "Times"]]]

GROUP = "photo, group chat (edits)"
PERSONAL = "photo, personal chat (stream)"
WORDS = "words only, group chat"
LOCAL = "photo, group chat, read on this machine"


class Model(OpenAIServer):
    """A model that takes 0.2 s; `asked` and `told` are when its last answer began and ended."""

    def __init__(self) -> None:
        super().__init__()
        self.default = say(FIRST_TOKEN, ANSWER[0], REST, ANSWER[1])
        self.asked = self.told = 0.0

    async def _reply(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        self.asked = now()
        response = await super()._reply(request, body)
        self.told = now()
        return response


@dataclass(frozen=True, slots=True)
class Times:
    """When things happened in one turn: seconds since the message was sent."""

    acknowledged: float
    placeholder: float
    asked: float
    told: float
    answered: float

    @property
    def added(self) -> float:
        """What the turn took beyond the model's own time."""
        return self.answered - (self.told - self.asked)


def now() -> float:
    return asyncio.get_running_loop().time()


class Conversations:
    """Asks Loupe, each time in a conversation of its own."""

    def __init__(self) -> None:
        self.connector = TeamsServer()
        self.model = Model()
        self.vision = ImageAnalysisServer()
        self.times: dict[str, list[Times]] = {GROUP: [], PERSONAL: [], WORDS: [], LOCAL: []}
        self.memory: dict[str, Memory] = {}
        self._photo = next(small(1)).data
        self._asked = 0

    @property
    def settings(self) -> dict[str, Any]:
        """Loupe's settings: no bot is configured, the model is."""
        return {
            "OPENAI_BASE_URL": f"{self.model.url}/v1",
            "OPENAI_API_KEY": KEY,
            "OPENAI_MODEL": "gpt-4o",
        }

    @property
    def service(self) -> dict[str, Any]:
        """Settings that have the vision service look at photos."""
        return {
            "VISION_ENDPOINT": self.vision.url,
            "VISION_KEY": VISION_KEY,
            "LOUPE_VISION_RATE": "1000/s",
        }

    async def local_round(self, url: str, session: ClientSession) -> dict[str, Times]:
        """Ask once where the engine on this machine looks."""
        return {LOCAL: await self._ask(url, session, group, photo=True)}

    async def round(self, url: str, session: ClientSession) -> dict[str, Times]:
        """Ask once in each way."""
        return {
            GROUP: await self._ask(url, session, group, photo=True),
            PERSONAL: await self._ask(url, session, personal, photo=True),
            WORDS: await self._ask(url, session, group, photo=False),
        }

    async def _ask(self, url: str, session: ClientSession, place: Place, *, photo: bool) -> Times:
        """Ask and wait for the whole answer."""
        self._asked += 1
        pictures = [self.connector.picture(self._photo)] if photo else []
        where = place(f"chat-{self._asked}")
        activity = message(self.connector.url, str(self._asked), where, *pictures)
        start = now()
        async with session.post(url, json=activity) as response:
            response.raise_for_status()
        acknowledged = now()
        await self.connector.until(lambda: self._sends(where["id"], "".join(ANSWER)), PATIENCE)
        opened = self._sends(where["id"])[0]
        answered = self._sends(where["id"], "".join(ANSWER))[-1]
        moments = (acknowledged, opened, self.model.asked, self.model.told, answered)
        return Times(*(moment - start for moment in moments))

    def _sends(self, conversation: str, text: str = "") -> list[float]:
        """When Loupe posted or edited a message with a text in it, or anything at all."""
        return [
            request.at
            for request in self.connector.requests
            if request.conversation == conversation
            and text in request.activity.get("text", "")
            and (request.activity["type"] == "message" or not text)
        ]


async def measure(rounds: int) -> Conversations:
    """Ask again and again, once before it counts."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        asking = Conversations()
        for service in (asking.connector, asking.model, asking.vision):
            await stack.enter_async_context(service)
        session = await stack.enter_async_context(ClientSession())
        async with Server("loupe", folder / "a", asking.settings | asking.service) as loupe:
            await _measure(asking, asking.round, loupe, session, rounds)
            asking.memory["after photos"] = loupe.memory
        async with Server("loupe", folder / "b", asking.settings) as loupe:
            await _measure(asking, asking.local_round, loupe, session, rounds)
            asking.memory["after photos, read on this machine"] = loupe.memory
        return asking


async def _measure(
    asking: Conversations, ask: Round, loupe: Server, session: ClientSession, rounds: int
) -> None:
    url = f"{loupe.origin}{PATH}"
    await ask(url, session)
    for _ in range(rounds):
        for name, times in (await ask(url, session)).items():
            asking.times[name].append(times)


def report(asking: Conversations) -> None:
    """Print medians over all rounds."""
    table(
        "One turn of a 12-megapixel photo beyond the model's own 0.2 s: milliseconds",
        ("", "added", "p90", "ack", "placeholder", "model asked", "last edit after"),
        [
            (name, *(f"{seconds * 1e3:.0f}" for seconds in _row(times)))
            for name, times in asking.times.items()
        ],
    )
    memory_table(asking.memory)


def _row(times: list[Times]) -> list[float]:
    return [
        statistics.median(turn.added for turn in times),
        percentile([turn.added for turn in times], 0.9),
        statistics.median(turn.acknowledged for turn in times),
        statistics.median(turn.placeholder for turn in times),
        statistics.median(turn.asked for turn in times),
        statistics.median(turn.answered - turn.told for turn in times),
    ]


def main(rounds: int = ROUNDS) -> None:
    """Measure and print."""
    report(asyncio.run(measure(rounds)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
