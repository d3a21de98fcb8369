"""Wakes those who watch a conversation when any process writes to its wall."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from adapters.page.notes_store import NEWS
from bot.aio import end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis.asyncio import Redis

log = structlog.get_logger()

POLL = 1.0
"""Seconds that one read of the subscription waits; below the client's socket time-out."""
RETRY = 1.0
"""Seconds until a lost subscription is made again."""


class NoteSubscriptions:
    """One subscription per process, shared by all open pages.

    A bell may be missed while the subscription is down: whoever watches reads again now and then.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._bells: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self.closed = True

    async def start(self) -> None:
        """Begin to listen."""
        self.closed = False
        self._task = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """Stop listening, and wake everyone so that they see `closed`."""
        self.closed = True
        for conversation in list(self._bells):
            self._ring(conversation)
        if self._task:
            await end(self._task)
            self._task = None

    @contextmanager
    def watch(self, conversation: str) -> Iterator[asyncio.Event]:
        """Lend an event that is set at each change of a conversation; the watcher clears it."""
        bell = asyncio.Event()
        self._bells[conversation].add(bell)
        try:
            yield bell
        finally:
            self._bells[conversation].discard(bell)
            if not self._bells[conversation]:
                del self._bells[conversation]

    def _ring(self, conversation: str) -> None:
        for bell in self._bells.get(conversation, ()):
            bell.set()

    async def _listen(self) -> None:
        while True:
            try:
                await self._follow()
            except (RedisError, OSError) as error:
                log.warning("page_news_lost", error=type(error).__name__)
                await asyncio.sleep(RETRY)

    async def _follow(self) -> None:
        async with self._redis.pubsub() as subscription:
            await subscription.psubscribe(f"{NEWS}*")
            while True:
                news = await subscription.get_message(ignore_subscribe_messages=True, timeout=POLL)
                if news:
                    self._ring(news["channel"].removeprefix(NEWS))
