"""What threads remember, and the settings people make, on Redis."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter

from adapters.redis import keys
from adapters.redis.connection import retrying
from bot.history import Past, Photo, SettingName, Settings, Turn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from redis.asyncio import Redis

    from bot.settings import Limits
    from bot.threads import Place, Thread

_TURN = TypeAdapter(Turn)
_PHOTO = TypeAdapter(Photo)
DAY = 24 * 3600
PATIENCE = 10.0
"""Seconds that a read or a setting waits for a store that is away."""

T = TypeVar("T")


async def _patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Wait for a store that is away as long as a reader can be kept waiting."""
    return await retrying(call, within=PATIENCE)


class RedisHistory:
    """Implements `bot.history.History`."""

    def __init__(self, redis: Redis, limits: Limits) -> None:
        self._redis = redis
        self._keep = limits.retention_days * DAY

    async def past(self, thread: Thread) -> Past:
        """Read the last committed state of a thread; what is past its retention is left out."""
        cutoff = time.time() - self._keep
        turns, photos, request = await _patiently(lambda: self._read(thread.key, cutoff))
        kept = sorted(
            (photo for raw in photos.values() if (photo := _PHOTO.validate_json(raw)).at > cutoff),
            key=lambda photo: photo.number,
        )
        return Past(
            turns=tuple(_TURN.validate_json(raw) for raw in turns),
            photos=tuple(kept),
            request=tuple(json.loads(request)) if request and turns else (),
        )

    async def _read(self, key: str, cutoff: float) -> tuple[list[str], dict[str, str], str | None]:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zrangebyscore(keys.turns(key), cutoff * 1000, "+inf")
            pipe.hgetall(keys.photos(key))
            pipe.get(keys.request(key))
            turns, photos, request = await pipe.execute()
        return turns, photos, request

    async def settings(self, where: Thread | Place) -> Settings:
        """Read the settings made at a thread or a place."""
        found = await _patiently(lambda: self._redis.hgetall(keys.settings(where.key)))
        return {str(name): str(value) for name, value in found.items()}

    async def set(self, where: Thread | Place, name: SettingName, value: str | None) -> None:
        """Write one setting, or remove it with None."""
        key = keys.settings(where.key)
        if value is None:
            await _patiently(lambda: self._redis.hdel(key, name))
        else:
            await _patiently(lambda: self._redis.hset(key, name, value))

    async def once_a_day(self, what: str, place: Place) -> bool:
        """Tell whether this is the first time within a day, and remember that it was asked."""
        key = keys.once(place.key, what)
        return bool(await _patiently(lambda: self._redis.set(key, "1", nx=True, ex=DAY)))
