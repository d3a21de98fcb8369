"""The history of threads, and the settings that people change, on Redis."""

from __future__ import annotations

import asyncio
import json
import time
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar, Unpack

from pydantic import TypeAdapter

from adapters.redis import keys, stored_settings, stored_turns
from adapters.redis.connection import retrying
from bot.domain.files import Photo, Video
from bot.domain.history import ThreadHistory

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from redis.asyncio import Redis

    from bot.domain.preferences import SettingChanges, ThreadSettings
    from bot.domain.threads import Place, Thread
    from bot.limits import RetentionLimits

_PHOTO = TypeAdapter(Photo)
_VIDEO = TypeAdapter(Video)
DAY = 24 * 3600
RETRY_SECONDS = 10.0
"""Seconds that a read or a setting waits for a store that is away."""

T = TypeVar("T")


class RedisHistory:
    """Implements `bot.ports.history.History`."""

    def __init__(
        self, redis: Redis, retention: RetentionLimits, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        """Take the client, and how many seconds to wait for a store that is away."""
        self._redis = redis
        self._retry_seconds = retry_seconds
        self._keep = retention.retention_days * DAY

    async def past(self, thread: Thread, newest: int = 0) -> ThreadHistory:
        """Read the last committed state of a thread; what is past its retention is left out.

        With `newest` only so many turns are read.
        """
        cutoff = time.time() - self._keep
        turns, files, request = await self._patiently(
            lambda: self._read(thread.key, cutoff, newest)
        )
        return await asyncio.to_thread(_past, turns, files, request, cutoff)

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        return await retrying(call, within=self._retry_seconds)

    async def _read(
        self, key: str, cutoff: float, newest: int
    ) -> tuple[list[str], dict[str, str], str | None]:
        async with self._redis.pipeline(transaction=True) as pipe:
            count = newest or -1
            pipe.zrevrangebyscore(keys.turns(key), "+inf", cutoff * 1000, start=0, num=count)
            pipe.hgetall(keys.photos(key))
            pipe.get(keys.request(key))
            turns, photos, request = await pipe.execute()
        return turns, photos, request

    async def settings(self, where: Thread | Place) -> ThreadSettings:
        """Return the settings made at a thread or a place."""
        fields = await self._patiently(lambda: self._redis.hgetall(keys.settings(where.key)))
        return stored_settings.decode({str(name): str(value) for name, value in fields.items()})

    async def change(self, where: Thread | Place, **changes: Unpack[SettingChanges]) -> None:
        """Store the settings that are named, all at once, and remove those that are None."""
        values, obsolete = stored_settings.encode(changes)
        await self._patiently(lambda: self._change(keys.settings(where.key), values, obsolete))

    async def _change(self, key: str, values: Mapping[str, str], obsolete: list[str]) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            for name, value in values.items():
                pipe.hset(key, name, value)
            if obsolete:
                pipe.hdel(key, *obsolete)
            await pipe.execute()

    async def clear(self, where: Thread | Place) -> None:
        """Remove all settings made at a thread or a place."""
        await self._patiently(lambda: self._redis.delete(keys.settings(where.key)))

    async def once_a_day(self, what: str, place: Place) -> bool:
        """Return whether this is the first such call within a day."""
        key = keys.once(place.key, what)
        return bool(await self._patiently(lambda: self._redis.set(key, "1", nx=True, ex=DAY)))


def _past(
    turns: list[str], files: Mapping[str, str], request: str | None, cutoff: float
) -> ThreadHistory:
    """Read what is stored; of long threads that takes a while."""
    videos = [_VIDEO.validate_json(file) for field, file in files.items() if field[:1] == "V"]
    photos = [_PHOTO.validate_json(file) for field, file in files.items() if field[:1] != "V"]
    return ThreadHistory(
        turns=tuple(map(stored_turns.read_turn, reversed(turns))),
        photos=tuple(sorted((p for p in photos if p.at > cutoff), key=attrgetter("number"))),
        request=tuple(json.loads(request)) if request and turns else (),
        videos=tuple(sorted((v for v in videos if v.at > cutoff), key=attrgetter("number"))),
    )
