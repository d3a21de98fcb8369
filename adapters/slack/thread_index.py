"""What Slack's room keeps in Redis, and all its keys there.

`/loupe` tells no thread, so who was last heard where is kept; and an uninstalled app has to erase
threads that nothing else lists. The keys of a team share a hash tag, so one slot of a cluster.
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

NOTED = frozenset({"message", "installed"})
"""Kinds of messages after which a thread may hold something."""


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
    """The root of the thread that a caller, `[channel, user]`, was last heard in."""
    return f"{_prefix(team)}latest:{caller}"


class ThreadIndex:
    """Remembers threads and who was last heard where, as long as threads are kept.

    Every call raises `StoreDown`.
    """

    def __init__(self, redis: Redis, keep_seconds: float, grammar: CommandGrammar) -> None:
        self._redis = redis
        self._grammar = grammar
        self._keep = max(1, round(keep_seconds))

    async def note(self, message: Message) -> None:
        """Remember the thread of a message that was kept, and that its author wrote there."""
        if message.kind not in NOTED:
            return
        thread, now = message.thread, time.time()
        team, channel, root = thread.tenant, thread.conversation, thread.root
        noted, caller = json.dumps([channel, root]), json.dumps([channel, message.author.id])
        with _store():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.zadd(_threads(team), {noted: now})
                if root == TOP or self._sets(message.text):
                    pipe.sadd(_lasting(team), noted)
                if root != TOP and message.author.id:
                    pipe.zadd(_callers(team), {caller: now})
                    pipe.set(_latest(team, caller), root, ex=self._keep)
                for aging in (_threads(team), _callers(team)):
                    pipe.zremrangebyscore(aging, "-inf", now - self._keep)
                    pipe.expire(aging, self._keep)
                await pipe.execute()

    async def latest(self, place: Place, user: str) -> str:
        """Give the root of the thread where somebody was last heard in a place; else empty."""
        caller = json.dumps([place.conversation, user])
        with _store():
            return str(await self._redis.get(_latest(place.tenant, caller)) or "")

    async def threads(self, team: str) -> list[tuple[str, str]]:
        """List the channel and root of every thread of a team that may hold something."""
        with _store():
            recent = await self._redis.zrange(_threads(team), 0, -1)
            lasting = await self._redis.smembers(_lasting(team))
        named = (json.loads(noted) for noted in dict.fromkeys([*recent, *sorted(lasting)]))
        return [(channel, root) for channel, root in named]

    async def left(self, place: Place) -> None:
        """Forget who was last heard in a place that Loupe left; its threads are still kept."""
        await self._forget_callers(place.tenant, place.conversation)

    async def forget(self, team: str) -> None:
        """Forget everything of a team."""
        await self._forget_callers(team)
        with _store():
            await self._redis.delete(_threads(team), _lasting(team))

    async def _forget_callers(self, team: str, channel: str = "") -> None:
        """Forget the callers of a channel, or of all."""
        with _store():
            every = map(str, await self._redis.zrange(_callers(team), 0, -1))
            gone = [one for one in every if not channel or json.loads(one)[0] == channel]
            if gone:
                await self._redis.delete(*(_latest(team, caller) for caller in gone))
                await self._redis.zrem(_callers(team), *gone)

    def _sets(self, text: str) -> bool:
        """Return whether a text is a command that leaves a setting, which lives until changed."""
        command = self._grammar.parse(text)
        return command is not None and command.sets


@contextmanager
def _store() -> Iterator[None]:
    """Name what Redis raises as the rest of Loupe knows it."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise StoreDown(f"the store is away: {type(error).__name__}") from error
