"""Notifies open pages when any process changes a message of their conversation."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from adapters.page.messages import CHANGES
from bot.aio import end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis.asyncio import Redis

log = structlog.get_logger()

POLL = 1.0
"""Seconds that one read of the subscription waits; below the client's socket time-out."""
RETRY = 1.0
"""Seconds until a lost subscription is made again."""


class Subscriptions:
    """One Redis subscription per process, shared by all open pages.

    A notification may be missed while the subscription is down, so watchers also read again from
    time to time.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._events: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self._closed = True

    @property
    def closed(self) -> bool:
        """Whether notifications have ended, so that streams should end too."""
        return self._closed

    async def start(self) -> None:
        """Begin to listen."""
        self._closed = False
        self._task = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """Stop listening, and wake all watchers so that they see `closed`."""
        self._closed = True
        for conversation in list(self._events):
            self._notify(conversation)
        if self._task:
            await end(self._task)
            self._task = None

    @contextmanager
    def watch(self, conversation: str) -> Iterator[asyncio.Event]:
        """Yield an event that is set at each change of a conversation; the watcher clears it."""
        event = asyncio.Event()
        self._events[conversation].add(event)
        try:
            yield event
        finally:
            self._events[conversation].discard(event)
            if not self._events[conversation]:
                del self._events[conversation]

    def _notify(self, conversation: str) -> None:
        for event in self._events.get(conversation, ()):
            event.set()

    async def _listen(self) -> None:
        while True:
            try:
                await self._receive()
            except (RedisError, OSError) as error:
                log.warning("page_subscription_lost", error=type(error).__name__)
                await asyncio.sleep(RETRY)

    async def _receive(self) -> None:
        async with self._redis.pubsub() as pubsub:
            await pubsub.psubscribe(f"{CHANGES}*")
            while True:
                change = await pubsub.get_message(ignore_subscribe_messages=True, timeout=POLL)
                if change:
                    self._notify(change["channel"].removeprefix(CHANGES))
