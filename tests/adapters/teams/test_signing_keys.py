"""The Bot Framework's signing keys: cached, refreshed in the background, kept if that fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientSession

from adapters.teams.signing_keys import REFETCH_SECONDS, KeysUnavailable, SigningKeys
from bot.clock import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.servers.openid import OpenIdServer


class StandingClock(Clock):
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
async def keys(
    openid: OpenIdServer, session: ClientSession, clock: StandingClock
) -> AsyncIterator[SigningKeys]:
    keys = SigningKeys(session, openid.url, clock=clock)
    yield keys
    await keys.stop()


async def test_a_key_is_found_with_its_endorsements(
    keys: SigningKeys, openid: OpenIdServer
) -> None:
    openid.keys[0].endorsements = ("msteams", "webchat")
    key = await keys.find("first")
    assert key is not None
    assert key.endorsements == {"msteams", "webchat"}
    assert keys.get("first") is key


async def test_the_start_does_not_wait_for_the_keys(
    keys: SigningKeys, openid: OpenIdServer
) -> None:
    openid.held = asyncio.Event()
    await keys.start()
    await openid.asked.wait()
    assert keys.get("first") is None
    openid.held.set()
    assert await keys.find("first") is not None
    assert openid.fetches == 1


async def test_many_at_once_share_one_fetch(keys: SigningKeys, openid: OpenIdServer) -> None:
    key = await asyncio.gather(*(keys.find("first") for _ in range(50)))
    assert len({key.id for key in key if key}) == 1
    assert None not in key
    assert openid.fetches == 1


async def test_unknown_keys_are_fetched_for_once_a_minute(
    keys: SigningKeys, openid: OpenIdServer, clock: StandingClock
) -> None:
    assert await keys.find("first")
    for number in range(100):
        assert await keys.find(f"forged-{number}") is None
    assert openid.fetches == 1
    clock.time += REFETCH_SECONDS - 1
    assert await keys.find("forged") is None
    assert openid.fetches == 1
    clock.time += 1
    assert await keys.find("forged") is None
    assert openid.fetches == 2


async def test_a_rotated_key_is_found_after_the_minute(
    keys: SigningKeys, openid: OpenIdServer, clock: StandingClock
) -> None:
    await keys.find("first")
    new = openid.rotate()
    clock.time += REFETCH_SECONDS
    assert await keys.find(new.id) is not None
    assert keys.get("first") is None


@pytest.mark.parametrize(
    "body", ["no object", [], {}, {"jwks_uri": 5}, {"jwks_uri": "http://127.0.0.1:1/keys"}]
)
async def test_keys_are_kept_when_the_service_talks_nonsense(
    keys: SigningKeys, openid: OpenIdServer, clock: StandingClock, body: object
) -> None:
    await keys.find("first")
    openid.body = body
    clock.time += REFETCH_SECONDS
    assert await keys.find("other") is None
    assert openid.fetches == 2
    assert await keys.find("first") is not None


async def test_keys_are_kept_when_the_service_fails(
    keys: SigningKeys, openid: OpenIdServer, clock: StandingClock
) -> None:
    await keys.find("first")
    openid.status = 500
    clock.time += REFETCH_SECONDS
    assert await keys.find("other") is None
    assert await keys.find("first") is not None


async def test_an_empty_key_set_replaces_nothing(
    keys: SigningKeys, openid: OpenIdServer, clock: StandingClock
) -> None:
    await keys.find("first")
    openid.keys = []
    clock.time += REFETCH_SECONDS
    assert await keys.find("other") is None
    assert await keys.find("first") is not None


async def test_without_any_key_nothing_can_be_told(
    keys: SigningKeys, openid: OpenIdServer, clock: StandingClock
) -> None:
    openid.status = 503
    with pytest.raises(KeysUnavailable):
        await keys.find("first")
    openid.status = 200
    with pytest.raises(KeysUnavailable):
        await keys.find("first")
    assert openid.fetches == 1
    clock.time += REFETCH_SECONDS
    assert await keys.find("first") is not None


async def test_a_service_that_hangs_is_given_up(
    openid: OpenIdServer, session: ClientSession
) -> None:
    openid.held = asyncio.Event()
    keys = SigningKeys(session, openid.url, fetch_seconds=0.05)
    async with asyncio.timeout(5):
        with pytest.raises(KeysUnavailable):
            await keys.find("first")
    await keys.stop()


async def test_keys_are_fetched_again_when_they_are_old(
    openid: OpenIdServer, session: ClientSession
) -> None:
    keys = SigningKeys(session, openid.url, refresh_seconds=0.01)
    await keys.start()
    async with asyncio.timeout(5):
        await openid.asked.wait()
        new = openid.rotate()
        for _ in range(2):  # The second request shows that the response to the first was read.
            openid.asked.clear()
            await openid.asked.wait()
    assert keys.get(new.id) is not None
    await keys.stop()


async def test_a_request_that_is_given_up_does_not_end_the_fetch(
    keys: SigningKeys, openid: OpenIdServer
) -> None:
    openid.held = asyncio.Event()
    impatient = asyncio.create_task(keys.find("first"))
    await openid.asked.wait()
    patient = asyncio.create_task(keys.find("first"))
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    openid.held.set()
    assert await patient is not None
    assert openid.fetches == 1


async def test_keys_of_another_kind_are_left_out(keys: SigningKeys, openid: OpenIdServer) -> None:
    nameless = {key: value for key, value in openid.keys[0].public.items() if key != "kid"}
    openid.odd_keys = [{"kty": "EC", "crv": "P-256", "kid": "odd"}, nameless]
    assert await keys.find("first") is not None
    assert await keys.find("odd") is None
