"""The threads of Slack in Redis: where people wrote last, and what has to be erased.

Slack calls `/loupe` without a thread, so the latest thread of each person is stored. When the app
is uninstalled, the threads of the team have to be erased, and nothing else lists them. The keys of
a team share a hash tag, so they are in one slot of a Redis Cluster.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from adapters.slack.addresses import TOP
from bot.errors import StoreDown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis.asyncio import Redis

    from bot.domain.command_grammar import CommandGrammar
    from bot.domain.messages import Message
    from bot.domain.threads import Place

INDEXED_KINDS = frozenset({"message", "installed"})
"""Kinds of messages after which data of a thread may be stored."""


def _prefix(team: str) -> str:
    return f"loupe:slack:{{{team}}}:"


def _threads(team: str) -> str:
    """Sorted set of `[channel, root]` by the time of the last post (s)."""
    return _prefix(team) + "threads"


def _lasting(team: str) -> str:
    """Set of `[channel, root]` that may have settings, which are kept until they are changed."""
    return _prefix(team) + "lasting"


def _callers(team: str) -> str:
    """Sorted set of `[channel, user]` by the time of the last post (s)."""
    return _prefix(team) + "callers"


def _latest(team: str, caller: str) -> str:
    """The root of the thread in which a caller, `[channel, user]`, wrote last."""
    return f"{_prefix(team)}latest:{caller}"


class ThreadIndex:
    """Stores threads, and where each person wrote last, for as long as threads are kept.

    Every method raises `StoreDown`.
    """

    def __init__(self, redis: Redis, keep_seconds: float, grammar: CommandGrammar) -> None:
        self._redis = redis
        self._grammar = grammar
        self._keep_seconds = max(1, round(keep_seconds))

    async def note(self, message: Message) -> None:
        """Store the thread of an accepted message, as the latest of its author."""
        if message.kind not in INDEXED_KINDS:
            return
        thread, now = message.thread, time.time()
        team, channel, root = thread.tenant, thread.conversation, thread.root
        entry, caller = json.dumps([channel, root]), json.dumps([channel, message.author.id])
        with _store():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.zadd(_threads(team), {entry: now})
                if root == TOP or self._changes_settings(message.text):
                    pipe.sadd(_lasting(team), entry)
                if root != TOP and message.author.id:
                    pipe.zadd(_callers(team), {caller: now})
                    pipe.set(_latest(team, caller), root, ex=self._keep_seconds)
                for key in (_threads(team), _callers(team)):
                    pipe.zremrangebyscore(key, "-inf", now - self._keep_seconds)
                    pipe.expire(key, self._keep_seconds)
                await pipe.execute()

    async def latest(self, place: Place, user: str) -> str:
        """Return the root of the thread in which a user wrote last in a place; empty if none."""
        caller = json.dumps([place.conversation, user])
        with _store():
            return str(await self._redis.get(_latest(place.tenant, caller)) or "")

    async def threads(self, team: str) -> list[tuple[str, str]]:
        """Return the channel and root of every thread of a team that may have stored data."""
        with _store():
            recent = await self._redis.zrange(_threads(team), 0, -1)
            lasting = await self._redis.smembers(_lasting(team))
        entries = map(json.loads, dict.fromkeys([*recent, *sorted(lasting)]))
        return [(channel, root) for channel, root in entries]

    async def forget_callers(self, place: Place) -> None:
        """Delete the callers of a place that Loupe left; its threads remain in the index."""
        await self._delete_callers(place.tenant, place.conversation)

    async def forget(self, team: str) -> None:
        """Delete everything of a team."""
        await self._delete_callers(team)
        with _store():
            await self._redis.delete(_threads(team), _lasting(team))

    async def _delete_callers(self, team: str, channel: str = "") -> None:
        """Delete the callers of a channel, or of all channels."""
        with _store():
            entries = map(str, await self._redis.zrange(_callers(team), 0, -1))
            callers = [entry for entry in entries if not channel or json.loads(entry)[0] == channel]
            if callers:
                await self._redis.delete(*(_latest(team, caller) for caller in callers))
                await self._redis.zrem(_callers(team), *callers)

    def _changes_settings(self, text: str) -> bool:
        """Return whether a text is a command that changes settings."""
        command = self._grammar.parse(text)
        return command is not None and command.sets


@contextmanager
def _store() -> Iterator[None]:
    """Raise `StoreDown` for the errors of Redis."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise StoreDown(f"the store cannot be reached: {type(error).__name__}") from error
