"""Connections to Redis that never run a command twice by themselves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import structlog
from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.clock import Clock
from bot.errors import StoreDown
from bot.retry import Backoff, RetryBudget, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.redis.settings import RedisSettings

T = TypeVar("T")

RETRY_POLICY = RetryPolicy(backoff=Backoff(first=0.05, longest=2.0))
"""Calls are retried until they work; callers say within which time."""

TEMPORARY = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    exceptions.ClusterDownError,
    exceptions.TryAgainError,
)
"""Errors of a server that is away, starting, full or changing its master."""

TEMPORARY_REPLIES = ("MISCONF", "NOREPLICAS")
"""Beginnings of such error replies that redis-py has no class for: the disk is full, or too few
replicas follow (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""

log = structlog.get_logger()


def connect(url: str, settings: RedisSettings) -> Redis:
    """Make a client for redis://, rediss:// or unix://; nothing is sent yet.

    A command is sent once: only its caller knows whether one that got no reply may be repeated
    (see `retrying`). A command waits for a free connection, then for its reply, at most
    `reply_seconds` each; a subscription made with `pubsub()` waits for ever. Replies are `str`.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=settings.connections,
        timeout=settings.reply_seconds,
        socket_timeout=settings.reply_seconds,
        socket_connect_timeout=settings.connect_seconds,
        health_check_interval=settings.idle_seconds,
        # An address may ask for retries in its query; the policy given here wins over that.
        retry=Retry(NoBackoff(), 0),
        # RESP 3 turns on maintenance notices, and with them redis-py hands out connections that
        # still hold an unread reply.
        protocol=2,
        decode_responses=True,
    )
    return Redis.from_pool(pool)


async def retrying(call: Callable[[], Awaitable[T]], *, within: float | None = None) -> T:
    """Retry an idempotent call while the store is away, full or starting.

    Goes on for ever, or for `within` seconds, the running call included; then raises
    `StoreDown`. Errors that are not temporary are raised at once.
    """
    cause: Exception | None = None
    budget = RetryBudget(RETRY_POLICY, Clock())
    try:
        async with asyncio.timeout(within) as bound:
            while True:
                try:
                    return await heeding(call)
                except exceptions.RedisError as error:
                    if not _is_temporary(error):
                        raise
                    cause = error
                log.warning("store_unavailable", error=str(cause))
                await budget.pause()
    except TimeoutError:
        if not bound.expired():
            raise
        raise StoreDown(f"no success within {within:g} s") from cause


async def heeding(call: Callable[[], Awaitable[T]]) -> T:
    """Await a call of redis-py, and raise a cancellation that came during it.

    Its sending uses `asyncio.wait_for`, which before Python 3.12 loses a cancellation that comes
    as the inner task ends: https://github.com/python/cpython/issues/86296.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    result = await call()
    if task and task.cancelling() > before:
        raise asyncio.CancelledError
    return result


def _is_temporary(error: exceptions.RedisError) -> bool:
    return isinstance(error, TEMPORARY) or str(error).startswith(TEMPORARY_REPLIES)


async def ping(redis: Redis) -> None:
    """Ask the store whether it answers; raises `StoreDown`."""
    try:
        await redis.ping()
    except (exceptions.RedisError, OSError) as error:
        raise StoreDown(f"the store is away: {type(error).__name__}") from error
