"""Posts, edits and deletes over HTTP: what is repeated, and who receives the token."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from adapters.teams.errors import ActivityTooLarge, ConnectorError, StreamRefused
from adapters.teams.settings import TeamsSettings
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown
from tests.helpers.teams_connector import FakeClock, connector_settings, teams_clients
from tests.servers.teams import CHANNEL, GROUP, PERSONAL, TeamsServer

HELLO = {"type": "message", "text": "Hello"}


@asynccontextmanager
async def connected(teams, clock=None, **limits):
    async with teams_clients(connector_settings(teams), clock, **limits) as parts:
        yield parts.connector


async def test_a_post_shows_a_message_and_returns_its_id():
    async with TeamsServer() as teams, connected(teams) as connector:
        message_id = await connector.post(teams.url, GROUP, HELLO)
    assert [(message.id, message.text) for message in teams.messages(GROUP)] == [
        (message_id, "Hello")
    ]


async def test_conversation_ids_are_quoted_in_the_path():
    async with TeamsServer() as teams, connected(teams) as connector:
        message_id = await connector.post(teams.url, CHANNEL, HELLO)
        await connector.put(teams.url, CHANNEL, message_id, HELLO)
    path = "19%3Achannel%40thread.tacv2%3Bmessageid%3D1795373765508"
    assert teams.requests[0].path == f"/amer/v3/conversations/{path}/activities"
    assert teams.requests[1].path == f"/amer/v3/conversations/{path}/activities/{message_id}"
    assert teams.texts(CHANNEL) == ["Hello"]


async def test_an_edit_changes_and_a_deletion_removes_the_message():
    async with TeamsServer() as teams, connected(teams) as connector:
        message_id = await connector.post(teams.url, GROUP, HELLO)
        await connector.put(teams.url, GROUP, message_id, {"type": "message", "text": "Bye"})
        assert teams.texts(GROUP) == ["Bye"]
        await connector.delete(teams.url, GROUP, message_id)
        assert teams.texts(GROUP) == []


async def test_many_posts_share_one_token_and_few_connections():
    async with TeamsServer(authorize=True) as teams, connected(teams) as connector:
        await asyncio.gather(*(connector.post(teams.url, f"19:{n}", HELLO) for n in range(20)))
    assert teams.tokens.token_count == 1
    assert {request.authorization for request in teams.requests} == {"Bearer token-1"}


async def test_a_refused_token_is_replaced_once():
    async with TeamsServer(authorize=True) as teams, connected(teams) as connector:
        await connector.post(teams.url, GROUP, HELLO)
        teams.tokens.valid.clear()
        await connector.post(teams.url, GROUP, HELLO)
        assert teams.texts(GROUP) == ["Hello", "Hello"]
        teams.refuse(401, "Unauthorized", times=2)
        with pytest.raises(ConnectorError) as error:
            await connector.post(teams.url, GROUP, HELLO)
    assert error.value.status == 401
    assert len(teams.requests) == 1 + 2 + 2


async def test_without_a_token_nothing_is_sent():
    async with TeamsServer(authorize=True) as teams:
        settings = connector_settings(teams, app_password="wrong")
        async with teams_clients(settings) as parts:
            with pytest.raises(DeliveryRefused, match="AADSTS7000215"):
                await parts.connector.post(teams.url, GROUP, HELLO)
    assert teams.requests == []


@pytest.mark.parametrize(
    "service",
    [
        "https://evil.example/amer/",
        "https://smba.trafficmanager.net.evil.example/",
        "https://user@smba.trafficmanager.net/",
        "http://smba.trafficmanager.net/",
        "",
    ],
)
async def test_only_known_connectors_are_spoken_to(service):
    async with TeamsServer() as teams, connected(teams) as connector:
        with pytest.raises(ConversationGone):
            await connector.post(service, GROUP, HELLO)
    assert teams.tokens.requests == []


async def test_the_playground_gets_no_token_and_must_be_on_this_machine():
    async with (
        TeamsServer() as teams,
        teams_clients(TeamsSettings(token_url=teams.origin)) as parts,
    ):
        await parts.connector.post(teams.url, PERSONAL, HELLO)
        with pytest.raises(ConversationGone):
            await parts.connector.post("https://smba.trafficmanager.net/amer/", PERSONAL, HELLO)
    assert [request.authorization for request in teams.requests] == [""]
    assert teams.tokens.requests == []


@pytest.mark.parametrize("status", [429, 412])
async def test_a_post_that_was_surely_refused_is_repeated(status):
    async with TeamsServer() as teams, connected(teams) as connector:
        teams.fail(status, times=3)
        await connector.post(teams.url, GROUP, HELLO)
    assert teams.texts(GROUP) == ["Hello"]
    assert [request.status for request in teams.requests] == [status] * 3 + [201]


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_post_that_may_have_arrived_is_not_repeated(status):
    async with TeamsServer() as teams, connected(teams) as connector:
        teams.fail(status, after=True)
        with pytest.raises(DeliveryUnknown):
            await connector.post(teams.url, GROUP, HELLO)
    assert teams.texts(GROUP) == ["Hello"]
    assert len(teams.requests) == 1


async def test_a_connection_that_breaks_after_the_post_is_unclear():
    async with TeamsServer() as teams, connected(teams) as connector:
        teams.cut(after=True)
        with pytest.raises(DeliveryUnknown):
            await connector.post(teams.url, GROUP, HELLO)
    assert teams.texts(GROUP) == ["Hello"]
    assert len(teams.requests) == 1


async def test_a_connector_that_says_nothing_is_unclear():
    async with TeamsServer() as teams, connected(teams, request_seconds=0.2) as connector:
        teams.hang()
        with pytest.raises(DeliveryUnknown):
            await connector.post(teams.url, GROUP, HELLO)
    assert len(teams.requests) == 1


async def test_a_post_without_a_connection_is_repeated_then_surely_not_sent():
    async with TeamsServer() as teams:
        url = teams.url
    clock = FakeClock()
    async with teams_clients(TeamsSettings(), clock, send_tries=4) as parts:
        with pytest.raises(ConnectorError) as error:
            await parts.connector.post(url, GROUP, HELLO)
    assert (error.value.status, error.value.code) == (0, "Unreachable")
    assert len(clock.waits) == 3


@pytest.mark.parametrize("fault", ["fail", "throttle", "cut", "hang"])
async def test_an_edit_is_repeated_on_any_passing_error(fault):
    async with TeamsServer() as teams, connected(teams, request_seconds=0.2) as connector:
        message_id = await connector.post(teams.url, GROUP, HELLO)
        getattr(teams, fault)(times=2)
        await connector.put(teams.url, GROUP, message_id, {"type": "message", "text": "Bye"})
    assert teams.texts(GROUP) == ["Bye"]


async def test_an_edit_that_never_gets_through_is_unclear_after_all_tries():
    async with TeamsServer() as teams, connected(teams, send_tries=3) as connector:
        message_id = await connector.post(teams.url, GROUP, HELLO)
        teams.fail(503, times=9)
        with pytest.raises(DeliveryUnknown):
            await connector.put(teams.url, GROUP, message_id, HELLO)
    assert len(teams.requests) == 1 + 3


async def test_a_brief_edit_gives_up_soon():
    async with TeamsServer() as teams, connected(teams) as connector:
        message_id = await connector.post(teams.url, GROUP, HELLO)
        teams.throttle(times=9)
        with pytest.raises(ConnectorError):
            await connector.put(teams.url, GROUP, message_id, HELLO, brief=True)
    assert len(teams.requests) == 1 + 2


@pytest.mark.parametrize(
    ("seconds", "least", "most"), [("3", 3, 3), ("0", 0.25, 0.25), ("99", 30, 30)]
)
async def test_retry_after_is_honoured_within_bounds(seconds, least, most):
    clock = FakeClock()
    async with TeamsServer() as teams, connected(teams, clock) as connector:
        teams.throttle(retry_after=seconds)
        await connector.post(teams.url, GROUP, HELLO)
    assert len(clock.waits) == 1
    assert least <= clock.waits[0] <= most


async def test_retry_after_may_be_a_date():
    clock = FakeClock()
    async with TeamsServer() as teams, connected(teams, clock) as connector:
        teams.throttle(retry_after=format_datetime(datetime.now(UTC) + timedelta(seconds=9), True))
        await connector.post(teams.url, GROUP, HELLO)
    assert 7 < clock.waits[0] <= 9


async def test_trying_ends_with_the_time():
    clock = FakeClock()
    async with TeamsServer() as teams, connected(teams, clock, send_seconds=20) as connector:
        teams.throttle(times=9, retry_after="8")
        with pytest.raises(ConnectorError) as error:
            await connector.post(teams.url, GROUP, HELLO)
    assert error.value.status == 429
    assert clock.waits == [8, 8]


@pytest.mark.parametrize("pages", [False, True])
async def test_a_message_that_is_too_big_is_told_apart(pages):
    async with TeamsServer(error_pages=pages) as teams, connected(teams) as connector:
        with pytest.raises(ActivityTooLarge):
            await connector.post(teams.url, GROUP, {"type": "message", "text": "x" * 50_001})


@pytest.mark.parametrize(
    ("status", "code", "problem"),
    [
        (403, "BotNotInConversationRoster", ConversationGone),
        (410, "Gone", ConversationGone),
        (404, "ConversationNotFound", ConversationGone),
        (403, "ContentStreamNotAllowed", StreamRefused),
        (400, "BadSyntax", ConnectorError),
        (302, "Found", ConnectorError),
    ],
)
async def test_refusals_are_told_apart(status, code, problem):
    async with TeamsServer() as teams, connected(teams) as connector:
        teams.refuse(status, code)
        with pytest.raises(problem) as error:
            await connector.post(teams.url, GROUP, HELLO)
    assert type(error.value) is problem
    assert len(teams.requests) == 1


@pytest.mark.parametrize("status", [403, 410])
async def test_an_edit_that_is_not_allowed_is_refused_and_the_conversation_not_gone(status):
    async with TeamsServer() as teams, connected(teams) as connector:
        teams.refuse(status, "Forbidden")
        with pytest.raises(ConnectorError) as error:
            await connector.put(teams.url, GROUP, "1", HELLO)
    assert error.value.status == status


async def test_an_edit_of_an_unknown_message_is_refused_not_gone():
    async with TeamsServer() as teams, connected(teams) as connector:
        with pytest.raises(ConnectorError) as error:
            await connector.put(teams.url, GROUP, "1", HELLO)
    assert error.value.status == 404


async def test_a_post_that_gets_no_id_is_posted():
    async with TeamsServer() as teams, connected(teams) as connector:
        assert await connector.post(teams.url, GROUP, {"type": "typing"}) == ""
    assert teams.chats.typing[GROUP] == 1
