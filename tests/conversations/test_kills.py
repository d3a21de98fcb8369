"""Kill -9 of a worker and of the store amid work: nothing lost, nothing twice, order kept."""

from __future__ import annotations

import asyncio
import itertools
import re
import signal
from collections import Counter
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.helpers.serve_process import ServeProcess
from tests.servers.openai import KEY, OpenAIServer, say
from tests.servers.redis_server import ENGINES, RedisServer, find_engine
from tests.servers.teams import TENANT, TeamsServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aiohttp import web

THREADS = 50
MESSAGES = 20
ANSWERS = re.compile(r"Answer to (t\d+ m\d+)\.")


class Echo(OpenAIServer):
    """A model that answers every question by naming it."""

    async def _reply(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        content = body["messages"][-1]["content"]
        words = content if isinstance(content, str) else content[-1]["text"]
        question = re.findall(r"t\d+ m\d+", words)[-1]
        self.then(say("Answer ", f"to {question}."))
        return await super()._reply(request, body)


@pytest.fixture
def store() -> Iterator[RedisServer]:
    server = RedisServer(next(filter(find_engine, ENGINES))).start()
    yield server
    server.stop()


def activity(teams: TeamsServer, thread: int, number: int) -> dict[str, Any]:
    """A reply with a mention in a thread of a channel."""
    return {
        "type": "message",
        "id": f"{thread}-{number}",
        "channelId": "msteams",
        "serviceUrl": teams.url,
        "text": f"<at>Loupe</at> t{thread} m{number}",
        "from": {"id": f"29:user{thread}", "name": "Alex"},
        "recipient": {"id": "28:loupe", "name": "Loupe"},
        "conversation": {
            "id": conversation(thread),
            "conversationType": "channel",
            "isGroup": True,
            "tenantId": TENANT,
        },
        "channelData": {"tenant": {"id": TENANT}, "channel": {"id": f"19:c{thread}"}},
        "entities": [
            {"type": "mention", "text": "<at>Loupe</at>", "mentioned": {"id": "28:loupe"}}
        ],
    }


def conversation(thread: int) -> str:
    return f"19:c{thread}@thread.tacv2;messageid=1"


class Platform:
    """Delivers as Teams does: again, elsewhere, until it is accepted."""

    def __init__(self, session: aiohttp.ClientSession, urls: list[str]) -> None:
        self._session = session
        self._urls = itertools.cycle(urls)

    async def deliver(self, body: dict[str, Any]) -> None:
        while True:
            try:
                async with self._session.post(
                    next(self._urls), json=body, timeout=aiohttp.ClientTimeout(15)
                ) as response:
                    if response.status == 202:
                        return
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.1)


def answers(teams: TeamsServer, thread: int) -> list[str]:
    """What was answered in a thread, in the order of its messages."""
    return [name for text in teams.texts(conversation(thread)) for name in ANSWERS.findall(text)]


def answered(teams: TeamsServer) -> int:
    return sum(len(set(answers(teams, thread))) for thread in range(THREADS))


def settings(store: RedisServer, model: OpenAIServer) -> dict[str, Any]:
    return {
        "REDIS_URL": store.url,
        "OPENAI_BASE_URL": f"{model.url}/v1",
        "OPENAI_API_KEY": KEY,
        "OPENAI_MODEL": "gpt-test",
        "LOUPE_PAGE": "off",
        "LOUPE_LEASE_SECONDS": 3,
        "LOUPE_MAX_WAITING": 100,
        "LOUPE_NOTICE_SECONDS": 600,
        "LOUPE_CHILDREN": 1,
    }


async def when(teams: TeamsServer, true: Callable[[], bool], seconds: float) -> None:
    await teams.until(true, seconds)


async def test_killing_a_worker_and_the_store_loses_and_repeats_nothing(
    store: RedisServer, tmp_path: Path
) -> None:
    total = THREADS * MESSAGES
    async with AsyncExitStack() as stack:
        teams = await stack.enter_async_context(TeamsServer())
        model = await stack.enter_async_context(Echo())
        workers = [
            await stack.enter_async_context(ServeProcess(tmp_path, **settings(store, model)))
            for _ in range(2)
        ]
        session = await stack.enter_async_context(aiohttp.ClientSession())
        platform = Platform(session, [worker.url for worker in workers])

        async def people(thread: int) -> None:
            for number in range(MESSAGES):
                await platform.deliver(activity(teams, thread, number))

        posting = asyncio.gather(*(people(thread) for thread in range(THREADS)))
        await when(teams, lambda: answered(teams) > total * 0.3, 120)
        await workers[0].end(signal.SIGKILL)
        await when(teams, lambda: answered(teams) > total * 0.6, 120)
        await asyncio.to_thread(store.kill)
        await asyncio.sleep(1)
        await asyncio.to_thread(store.start)
        await asyncio.wait_for(posting, 120)
        await when(teams, lambda: answered(teams) == total, 120)

        expected_answers = [f"t{{}} m{number}" for number in range(MESSAGES)]
        for thread in range(THREADS):
            names = answers(teams, thread)
            assert Counter(names).most_common(1)[0][1] == 1
            assert names == [one.format(thread) for one in expected_answers]
            for message in teams.messages(conversation(thread)):
                versions = [text for text in message.texts if "nswer" in text]
                assert all(b.startswith(a) for a, b in itertools.pairwise(versions))
