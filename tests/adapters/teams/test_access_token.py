"""The bot's token: shared, renewed before it expires, and absent in the playground."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from adapters.teams.access_token import TokenUnavailable, bot_token
from adapters.teams.settings import TeamsSettings
from tests.helpers.teams_connector import FakeClock, close_after, connector_settings, eventually
from tests.servers.teams import TENANT, TeamsServer
from tests.servers.teams_services import APP_ID


@asynccontextmanager
async def token_of(settings, clock=None):
    clock = clock or FakeClock()
    async with (
        ClientSession() as session,
        close_after(bot_token(session, settings, clock)) as token,
    ):
        yield token


async def becomes(token, value):
    """Poll the token until it changes."""

    async def is_there():
        return await token.value() == value

    await eventually(is_there)


async def test_many_who_ask_at_once_cause_one_request():
    async with TeamsServer() as teams, token_of(connector_settings(teams)) as token:
        values = await asyncio.gather(*(token.value() for _ in range(50)))
    assert set(values) == {"token-1"}
    assert len(teams.tokens.requests) == 1


@pytest.mark.parametrize(
    ("app_type", "tenant"), [("SingleTenant", TENANT), ("MultiTenant", "botframework.com")]
)
async def test_the_tenant_is_that_of_the_bot(app_type, tenant):
    async with TeamsServer() as teams:
        settings = connector_settings(teams, app_type=app_type, app_tenant=TENANT)
        async with token_of(settings) as token:
            await token.value()
    assert teams.tokens.requests[0]["tenant"] == tenant


async def test_a_token_is_renewed_in_the_background_before_it_expires():
    clock = FakeClock()
    async with TeamsServer() as teams, token_of(connector_settings(teams), clock) as token:
        await token.value()
        clock.time += 3599 - 299
        assert await token.value() == "token-1"
        await becomes(token, "token-2")
    assert teams.tokens.token_count == 2


async def test_an_expired_token_is_waited_for():
    clock = FakeClock()
    async with TeamsServer() as teams, token_of(connector_settings(teams), clock) as token:
        await token.value()
        clock.time += 3600
        assert await token.value() == "token-2"


async def test_the_old_token_serves_while_it_cannot_be_renewed():
    clock = FakeClock()
    async with TeamsServer() as teams, token_of(connector_settings(teams), clock) as token:
        await token.value()
        clock.time += 3599 - 200
        teams.tokens.faults.extend([500] * 3)
        for _ in range(100):
            assert await token.value() == "token-1"
            await asyncio.sleep(0.005)
        assert len(teams.tokens.requests) == 1 + 3
        clock.time += 60
        await becomes(token, "token-2")


async def test_a_passing_failure_is_tried_again():
    async with TeamsServer() as teams, token_of(connector_settings(teams)) as token:
        teams.tokens.faults.extend([503, 429])
        assert await token.value() == "token-1"


async def test_a_wrong_secret_is_said_in_the_services_words_and_not_shown():
    async with (
        TeamsServer() as teams,
        token_of(connector_settings(teams, app_password="not-the-secret")) as token,
    ):
        with pytest.raises(TokenUnavailable) as problem:
            await token.value()
    assert "AADSTS7000215: Invalid client secret provided." in str(problem.value)
    assert "not-the-secret" not in str(problem.value)
    assert "Trace" not in str(problem.value)
    assert len(teams.tokens.requests) == 1


@pytest.mark.parametrize("body", ["{}", "[]", "<html>", '{"access_token": "a"}'])
async def test_an_answer_without_a_token(body):
    async def answer(request):
        return web.Response(text=body)

    app = web.Application()
    app.router.add_post("/{rest:.*}", answer)
    async with TestServer(app) as server, TeamsServer() as teams:
        settings = connector_settings(teams, token_url=str(server.make_url("")))
        async with token_of(settings) as token:
            with pytest.raises(TokenUnavailable, match="has no token"):
                await token.value()


async def test_a_token_service_that_is_not_there():
    async with TeamsServer() as teams:
        settings = connector_settings(teams)
    async with token_of(settings) as token:
        with pytest.raises(TokenUnavailable, match="cannot be reached"):
            await token.value()


async def test_one_who_gives_up_waiting_does_not_stop_the_others():
    async with TeamsServer() as teams, token_of(connector_settings(teams)) as token:
        impatient = asyncio.create_task(token.value())
        patient = asyncio.create_task(token.value())
        await asyncio.sleep(0)
        impatient.cancel()
        assert await patient == "token-1"


async def test_only_the_current_token_is_dropped():
    async with TeamsServer() as teams, token_of(connector_settings(teams)) as token:
        first = await token.value()
        token.drop(first)
        assert await token.value() == "token-2"
        token.drop(first)
        assert await token.value() == "token-2"


async def test_there_is_no_token_in_the_playground():
    async with TeamsServer() as teams, token_of(TeamsSettings(token_url=teams.origin)) as token:
        assert await token.value() == ""
    assert teams.tokens.requests == []


@pytest.fixture
async def identity(monkeypatch):
    """Yield the managed identity endpoint of an Azure web app; with `refuses`, it responds 400."""
    requests = []

    async def give(request):
        requests.append((dict(request.query), request.headers.get("X-IDENTITY-HEADER")))
        if server.refuses:
            return web.json_response({"message": "no such identity"}, status=400)
        token = {"access_token": "msi-1", "expires_on": "4000000000", "resource": ""}
        return web.json_response(token)

    app = web.Application()
    app.router.add_get("/msi/token", give)
    async with TestServer(app) as server:
        server.requests, server.refuses = requests, False
        monkeypatch.setenv("IDENTITY_ENDPOINT", str(server.make_url("/msi/token")))
        monkeypatch.setenv("IDENTITY_HEADER", "header-of-the-tests")
        yield server


MSI = {"app_id": APP_ID, "app_type": "UserAssignedMSI", "app_tenant": TENANT}


async def test_a_managed_identity_needs_no_secret(identity):
    async with token_of(TeamsSettings(**MSI)) as token:
        assert [await token.value(), await token.value()] == ["msi-1", "msi-1"]
    [(query, header)] = identity.requests
    assert header == "header-of-the-tests"
    assert query["client_id"] == APP_ID
    assert query["resource"] == "https://api.botframework.com"


async def test_a_managed_identity_that_is_not_there(identity):
    identity.refuses = True
    async with token_of(TeamsSettings(**MSI)) as token:
        with pytest.raises(TokenUnavailable, match="managed identity"):
            await token.value()
