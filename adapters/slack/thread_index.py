"""What Slack's adapter stores in Redis, and all its keys there.

`/loupe` comes without a thread, so the thread that each person wrote in last is stored; and when
the app is uninstalled, threads have to be erased that nothing else lists. The keys of a team share
a hash tag, so they are in one slot of a Redis Cluster.
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
"""Kinds of messages after which something may be stored of a thread."""


def _prefix(team: str) -> str:
    return f"loupe:slack:{{{team}}}:"


def _threads(team: str) -> str:
    """Sorted set of `[channel, root]` by the time of the last post (s)."""
    return _prefix(team) + "threads"


def _lasting(team: str) -> str:
    """Set of `[channel, root]` that may hold settings, which live until they are changed."""
    return _prefix(team) + "lasting"


def _callers(team: str) -> str:
    """Sorted set of `[channel, user]` by the time of the last post (s)."""
    return _prefix(team) + "callers"


def _latest(team: str, caller: str) -> str:
    """The root of the thread that a caller, `[channel, user]`, wrote in last."""
    return f"{_prefix(team)}latest:{caller}"


class ThreadIndex:
    """Remembers threads, and who wrote last in which, for as long as threads are stored.

    Every call raises `StoreDown`.
    """

    def __init__(self, redis: Redis, keep_seconds: float, grammar: CommandGrammar) -> None:
        self._redis = redis
        self._grammar = grammar
        self._keep = max(1, round(keep_seconds))

    async def note(self, message: Message) -> None:
        """Remember the thread of a message that was accepted, and that its author wrote there."""
        if message.kind not in INDEXED_KINDS:
            return
        thread, now = message.thread, time.time()
        team, channel, root = thread.tenant, thread.conversation, thread.root
        entry, caller = json.dumps([channel, root]), json.dumps([channel, message.author.id])
        with _store():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.zadd(_threads(team), {entry: now})
                if root == TOP or self._sets(message.text):
                    pipe.sadd(_lasting(team), entry)
                if root != TOP and message.author.id:
                    pipe.zadd(_callers(team), {caller: now})
                    pipe.set(_latest(team, caller), root, ex=self._keep)
                for key in (_threads(team), _callers(team)):
                    pipe.zremrangebyscore(key, "-inf", now - self._keep)
                    pipe.expire(key, self._keep)
                await pipe.execute()

    async def latest(self, place: Place, user: str) -> str:
        """Return the root of the thread that somebody wrote in last in a place; else empty."""
        caller = json.dumps([place.conversation, user])
        with _store():
            return str(await self._redis.get(_latest(place.tenant, caller)) or "")

    async def threads(self, team: str) -> list[tuple[str, str]]:
        """Return the channel and root of every thread of a team that something may be stored of."""
        with _store():
            recent = await self._redis.zrange(_threads(team), 0, -1)
            lasting = await self._redis.smembers(_lasting(team))
        entries = map(json.loads, dict.fromkeys([*recent, *sorted(lasting)]))
        return [(channel, root) for channel, root in entries]

    async def left(self, place: Place) -> None:
        """Forget who wrote last in a place that Loupe left; its threads stay in the index."""
        await self._forget_callers(place.tenant, place.conversation)

    async def forget(self, team: str) -> None:
        """Forget everything of a team."""
        await self._forget_callers(team)
        with _store():
            await self._redis.delete(_threads(team), _lasting(team))

    async def _forget_callers(self, team: str, channel: str = "") -> None:
        """Forget the callers of a channel, or of all."""
        with _store():
            everybody = map(str, await self._redis.zrange(_callers(team), 0, -1))
            callers = [one for one in everybody if not channel or json.loads(one)[0] == channel]
            if callers:
                await self._redis.delete(*(_latest(team, caller) for caller in callers))
                await self._redis.zrem(_callers(team), *callers)

    def _sets(self, text: str) -> bool:
        """Return whether a text is a command that leaves a setting, which lives until changed."""
        command = self._grammar.parse(text)
        return command is not None and command.sets


@contextmanager
def _store() -> Iterator[None]:
    """Raise `StoreDown` for the errors of Redis."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise StoreDown(f"the store is away: {type(error).__name__}") from error
