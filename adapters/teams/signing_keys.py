"""The keys that sign the Bot Framework's tokens: fetched in the background, kept if that fails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import ClientError, ClientSession
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from bot.aio import end
from bot.clock import Clock

log = structlog.get_logger()

REFRESH_SECONDS = 24 * 3600.0
"""Keys are fetched again once a day, as Microsoft advises:
https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
"""
REFETCH_SECONDS = 60.0
"""Least seconds between two fetches, whatever strangers send."""
FETCH_SECONDS = 10.0
"""Most seconds for the two requests of a fetch."""


class KeysUnavailable(Exception):
    """No signing key was ever fetched, so no token can be verified."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public RSA key, and the names of the channels whose messages it may sign."""

    id: str
    public: PyJWK
    endorsements: frozenset[str]


class SigningKeys:
    """The current keys by id, from an OpenID metadata document and the JWK set that it names.

    If a fetch fails, the previous keys stay valid.
    """

    def __init__(
        self,
        session: ClientSession,
        url: str,
        *,
        clock: Clock | None = None,
        refresh_seconds: float = REFRESH_SECONDS,
        fetch_seconds: float = FETCH_SECONDS,
    ) -> None:
        self._session = session
        self._url = url
        self._clock = clock or Clock()
        self._refresh_seconds = refresh_seconds
        self._fetch_seconds = fetch_seconds
        self._keys: dict[str, SigningKey] = {}
        self._last_fetch = float("-inf")
        self._fetch_task: asyncio.Task[None] | None = None
        self._refresh_task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start to fetch the keys, now and once a day, without waiting for them."""
        self._refresh_task = asyncio.create_task(self._refresh_daily())

    async def stop(self) -> None:
        """Stop all fetches."""
        await end(*(task for task in (self._refresh_task, self._fetch_task) if task is not None))

    def get(self, key_id: str) -> SigningKey | None:
        """Return a key, without fetching; None if it is unknown."""
        return self._keys.get(key_id)

    async def find(self, key_id: str) -> SigningKey | None:
        """Return a key, after a fetch if it is unknown; None if it still is.

        Fetches at most once a minute; raises `KeysUnavailable` as long as there are no keys.
        """
        key = self._keys.get(key_id)
        if key is None and self._may_fetch():
            await self.refresh()
            key = self._keys.get(key_id)
        if not self._keys:
            raise KeysUnavailable("no signing key could be fetched yet")
        return key

    def _may_fetch(self) -> bool:
        return (
            self._fetch_task is not None or self._clock.now() - self._last_fetch >= REFETCH_SECONDS
        )

    async def _refresh_daily(self) -> None:
        while True:
            pause = self._refresh_seconds if await self.refresh() else REFETCH_SECONDS
            await self._clock.sleep(pause)

    async def refresh(self) -> bool:
        """Fetch the keys, or join a fetch that is running; return whether that brought new keys."""
        before = self._keys
        if self._fetch_task is None:
            self._last_fetch = self._clock.now()
            self._fetch_task = asyncio.create_task(self._fetch())
            self._fetch_task.add_done_callback(self._clear_task)
        await asyncio.shield(self._fetch_task)
        return self._keys is not before

    def _clear_task(self, _: asyncio.Task[None]) -> None:
        self._fetch_task = None

    async def _fetch(self) -> None:
        """Replace the keys by the current ones; if that fails, keep them."""
        try:
            async with asyncio.timeout(self._fetch_seconds):
                metadata = await self._json(self._url)
                keys = _keys(await self._json(metadata["jwks_uri"]))
        except (ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
            log.warning("signing_keys_not_fetched", error=repr(error), kept=len(self._keys))
        else:
            self._keys = keys
            log.info("signing_keys_fetched", keys=len(keys))

    async def _json(self, url: str) -> Any:
        async with self._session.get(url) as response:
            response.raise_for_status()
            return await response.json(content_type=None)


def _keys(key_set: Any) -> dict[str, SigningKey]:
    """Return the usable keys of a JWK set (RFC 7517) with Microsoft's `endorsements`."""
    keys = {key.id: key for entry in key_set["keys"] if (key := _key(entry))}
    if not keys:
        raise ValueError("no usable key")
    return keys


def _key(entry: Any) -> SigningKey | None:
    try:
        public = PyJWK.from_dict(entry, algorithm="RS256")
        return SigningKey(entry["kid"], public, frozenset(entry.get("endorsements") or ()))
    except (PyJWTError, KeyError, TypeError, ValueError, AttributeError):
        return None
