"""The keys that sign what the Bot Framework sends: fetched in the background, kept when stale."""

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

FRESH_SECONDS = 24 * 3600.0
"""Keys are fetched again once a day, as Microsoft advises:
https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
"""
REFETCH_SECONDS = 60.0
"""Least time between two fetches, whatever strangers send."""
FETCH_SECONDS = 10.0
"""Longest time for the two requests of a fetch."""


class KeysUnavailable(Exception):
    """No signing key was ever fetched, so nothing can be told about any token."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public RSA key, and the names of the channels whose messages it may sign."""

    id: str
    public: PyJWK
    endorsements: frozenset[str]


class SigningKeys:
    """The current keys by id, from an OpenID metadata document and the JWK set it names.

    A key set is never replaced by nothing: when a fetch fails the last one stays in force.
    """

    def __init__(
        self,
        session: ClientSession,
        url: str,
        *,
        clock: Clock | None = None,
        fresh_seconds: float = FRESH_SECONDS,
        fetch_seconds: float = FETCH_SECONDS,
    ) -> None:
        self._session = session
        self._url = url
        self._clock = clock or Clock()
        self._fresh_seconds = fresh_seconds
        self._fetch_seconds = fetch_seconds
        self._keys: dict[str, SigningKey] = {}
        self._tried = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to fetch, now and once a day; does not wait for the keys."""
        self._keeping = asyncio.create_task(self._keep_fresh())

    async def stop(self) -> None:
        """End all fetching."""
        await end(*(task for task in (self._keeping, self._fetching) if task is not None))

    def known(self, key_id: str) -> SigningKey | None:
        """Look a key up without fetching."""
        return self._keys.get(key_id)

    async def find(self, key_id: str) -> SigningKey | None:
        """Look a key up; one not known is fetched for, at most once a minute.

        Raises `KeysUnavailable` as long as there are no keys at all.
        """
        key = self._keys.get(key_id)
        if key is None and self._may_fetch():
            await self.refresh()
            key = self._keys.get(key_id)
        if not self._keys:
            raise KeysUnavailable("no signing key could be fetched yet")
        return key

    def _may_fetch(self) -> bool:
        return self._fetching is not None or self._clock.now() - self._tried >= REFETCH_SECONDS

    async def _keep_fresh(self) -> None:
        while True:
            succeeded = await self.refresh()
            await self._clock.sleep(self._fresh_seconds if succeeded else REFETCH_SECONDS)

    async def refresh(self) -> bool:
        """Join the fetch that is under way, or start one; tells whether there are new keys."""
        before = self._keys
        if self._fetching is None:
            self._tried = self._clock.now()
            self._fetching = asyncio.create_task(self._fetch())
            self._fetching.add_done_callback(self._fetched)
        await asyncio.shield(self._fetching)
        return self._keys is not before

    def _fetched(self, _: asyncio.Task[None]) -> None:
        self._fetching = None

    async def _fetch(self) -> None:
        """Replace the keys by those served now; on any failure keep them."""
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


def _keys(served: Any) -> dict[str, SigningKey]:
    """Read a JWK set (RFC 7517) with Microsoft's `endorsements`; unusable keys are left out."""
    keys = {key.id: key for entry in served["keys"] if (key := _key(entry))}
    if not keys:
        raise ValueError("no usable key")
    return keys


def _key(entry: Any) -> SigningKey | None:
    try:
        public = PyJWK.from_dict(entry, algorithm="RS256")
        return SigningKey(entry["kid"], public, frozenset(entry.get("endorsements") or ()))
    except (PyJWTError, KeyError, TypeError, ValueError, AttributeError):
        return None
