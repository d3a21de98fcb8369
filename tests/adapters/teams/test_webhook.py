"""The Bot Framework endpoint, called over HTTP as by the service and by strangers."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from adapters.teams import webhook
from adapters.teams.build import DECLARATION as TEAMS
from adapters.teams.settings import TeamsSettings
from bot.channels import CHANNELS, ConfiguredChannels
from bot.settings import Sections
from tests.helpers.console_channel import Console
from tests.helpers.teams_endpoint import (
    APP_ID,
    SERVICE,
    Endpoint,
    endpoint_settings,
    serve_endpoint,
)
from tests.payloads import NAMES, payload
from tests.servers.openid import Key, OpenIdServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def endpoint(openid: OpenIdServer) -> AsyncIterator[Endpoint]:
    async with serve_endpoint(endpoint_settings(openid)) as endpoint:
        yield endpoint


@pytest.fixture
async def playground() -> AsyncIterator[Endpoint]:
    async with serve_endpoint(TeamsSettings()) as endpoint:
        yield endpoint


@pytest.fixture
def token(openid: OpenIdServer) -> str:
    return openid.token(APP_ID, SERVICE)


def teams_body(name: str = "teams_personal_text", /, **changes: Any) -> dict[str, Any]:
    """Return an activity as Teams sends it."""
    return payload(name, **{"serviceUrl": SERVICE, **changes})


@pytest.mark.parametrize("name", NAMES)
async def test_genuine_activities_are_answered_with_success(
    endpoint: Endpoint, token: str, name: str
) -> None:
    status, _ = await endpoint.post(teams_body(name), token)
    unknown_button = name == "teams_personal_card_action"
    assert status == (501 if unknown_button else 200 if "consent" in name else 202)


async def test_a_message_is_accepted_before_it_is_acknowledged(
    endpoint: Endpoint, token: str
) -> None:
    assert await endpoint.post(teams_body(), token) == (202, "")
    [message] = endpoint.inbox.messages
    assert (message.text, message.address.service) == ("hello world", SERVICE)


async def test_an_unaddressed_post_is_passed_on_as_such(endpoint: Endpoint, token: str) -> None:
    body = teams_body("teams_channel_post", entities=[], text="just saying")
    assert await endpoint.post(body, token) == (202, "")
    [message] = endpoint.inbox.messages
    assert not message.addressed


async def test_when_the_store_is_down_the_service_delivers_again(
    endpoint: Endpoint, token: str
) -> None:
    endpoint.inbox.down = True
    assert await endpoint.post(teams_body(), token) == (503, "")
    assert await endpoint.post(teams_body("teams_personal_file_consent"), token) == (503, "")
    endpoint.inbox.down = False
    assert await endpoint.post(teams_body(), token) == (202, "")


async def test_without_signing_keys_the_service_delivers_again(openid: OpenIdServer) -> None:
    openid.status = 500
    async with serve_endpoint(endpoint_settings(openid)) as endpoint:
        assert await endpoint.post(teams_body(), openid.token(APP_ID, SERVICE)) == (503, "")


async def test_a_slow_key_server_delays_and_loses_nothing(openid: OpenIdServer) -> None:
    openid.held = asyncio.Event()
    async with serve_endpoint(endpoint_settings(openid)) as endpoint:
        delivery = asyncio.create_task(endpoint.post(teams_body(), openid.token(APP_ID, SERVICE)))
        await openid.asked.wait()
        openid.held.set()
        assert await delivery == (202, "")


async def test_a_rotated_key_is_taken_up(
    endpoint: Endpoint, openid: OpenIdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await endpoint.post(teams_body(), openid.token(APP_ID, SERVICE)) == (202, "")
    openid.rotate()
    token = openid.token(APP_ID, SERVICE)
    assert await endpoint.post(teams_body(), token) == (401, "")
    monkeypatch.setattr("adapters.teams.signing_keys.REFETCH_SECONDS", 0)
    assert await endpoint.post(teams_body(), token) == (202, "")


async def test_forged_keys_cause_one_fetch(endpoint: Endpoint, openid: OpenIdServer) -> None:
    assert await endpoint.post(teams_body(), openid.token(APP_ID, SERVICE)) == (202, "")
    forger = Key("forged")
    for number in range(20):
        forger.id = f"forged-{number}"
        token = openid.signed({"aud": APP_ID, "serviceurl": SERVICE}, forger)
        assert await endpoint.post(teams_body(), token) == (401, "")
    assert openid.fetches == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Basic dXNlcjpzZWNyZXQ="},
        {"Authorization": "Bearer garbage"},
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."},
    ],
)
async def test_without_a_token_nobody_is_served(
    endpoint: Endpoint, headers: dict[str, str]
) -> None:
    assert await endpoint.post(teams_body(), headers=headers) == (401, "")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-app"},
        {"iss": "https://sts.windows.net/f8cdef31-a31e-4b4a-93e4-5f571e91255a/"},
        {"iss": None},
        {"exp": 1},
        {"serviceurl": None},
        {"serviceurl": "https://smba.trafficmanager.net/amer/"},
    ],
)
async def test_a_token_for_something_else_is_refused(
    endpoint: Endpoint, openid: OpenIdServer, claims: dict[str, Any]
) -> None:
    assert await endpoint.post(teams_body(), openid.token(APP_ID, SERVICE, **claims)) == (401, "")


@pytest.mark.parametrize(
    "changes",
    [
        {"serviceUrl": "https://evil.example/"},
        {"serviceUrl": None},
        {"channelId": None},
        {"channelId": "facebook"},
    ],
)
async def test_a_token_proves_only_its_own_activity(
    endpoint: Endpoint, token: str, changes: dict[str, Any]
) -> None:
    assert await endpoint.post(teams_body(**changes), token) == (401, "")
    assert endpoint.inbox.messages == []


async def test_a_service_url_with_a_matching_token_is_still_refused_elsewhere(
    endpoint: Endpoint, openid: OpenIdServer
) -> None:
    for url in ("https://evil.example/", "https://evil.trafficmanager.net/"):
        assert await endpoint.post(teams_body(serviceUrl=url), openid.token(APP_ID, url)) == (
            401,
            "",
        )


async def test_another_tenant_is_refused(openid: OpenIdServer) -> None:
    async with serve_endpoint(endpoint_settings(openid, tenants="ours")) as endpoint:
        token = openid.token(APP_ID, SERVICE)
        assert await endpoint.post(teams_body(), token) == (401, "")
        ours = {"tenant": {"id": "OURS"}}
        assert await endpoint.post(teams_body(channelData=ours), token) == (202, "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'"x"',
        b"null",
        b'{"type": NaN}',
        b'{"value": 1e999}',
        b'{"a":' * 5000,
        b"[" * 100_000,
        b"9" * 5000,
        {},
        {"type": "message"},
        {"type": "message", "conversation": {}},
        {"type": "message", "conversation": {"id": ""}},
        {"type": "message", "conversation": {"id": "x" * 2000}},
        {"type": "", "conversation": {"id": "x"}},
        {"type": 5, "conversation": {"id": "x"}},
        {"type": "message", "conversation": "x"},
        {"type": "message", "conversation": {"id": "x"}, "timestamp": "soon"},
    ],
)
async def test_what_is_no_activity_is_malformed(endpoint: Endpoint, token: str, body: Any) -> None:
    assert await endpoint.post(body, token) == (400, "")


def nested(levels: int) -> dict[str, Any]:
    """Return objects and arrays nested in each other."""
    value: Any = {}
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return {"x": value}


@pytest.mark.parametrize("levels", [60, 220, 900])
@pytest.mark.parametrize("name", ["teams_personal_file_consent", "teams_personal_text"])
@pytest.mark.parametrize("field", ["value", "channelData", "unknown"])
async def test_what_is_nested_too_deep_is_malformed(
    endpoint: Endpoint, token: str, name: str, field: str, levels: int
) -> None:
    assert await endpoint.post(teams_body(name, **{field: nested(levels)}), token) == (400, "")
    assert endpoint.inbox.messages == []


async def test_cards_may_be_nested(endpoint: Endpoint, token: str) -> None:
    status, _ = await endpoint.post(
        teams_body("teams_personal_file_consent", value=nested(40)), token
    )
    assert (status, len(endpoint.inbox.messages)) == (200, 1)


@pytest.mark.parametrize("channel", ["page", "terminal", "slack-app"])
async def test_an_activity_that_names_a_channel_of_our_own_is_malformed(
    playground: Endpoint, channel: str
) -> None:
    body = payload("emulator_text", channelId=channel)
    assert await playground.post(body) == (400, "")
    assert playground.inbox.messages == []


async def test_the_name_of_a_channel_is_reserved_by_its_declaration_alone() -> None:
    body = payload("emulator_text", channelId="console")
    async with serve_endpoint(TeamsSettings()) as endpoint:
        assert await endpoint.post(body) == (202, "")
    channels = ConfiguredChannels((*CHANNELS, Console().declaration), Sections())
    async with serve_endpoint(TeamsSettings(), channels.names_of_others(TEAMS)) as endpoint:
        assert await endpoint.post(body) == (400, "")
        assert endpoint.inbox.messages == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "json"])
async def test_another_content_type_is_malformed(endpoint: Endpoint, token: str, kind: str) -> None:
    assert await endpoint.post(teams_body(), token, {"Content-Type": kind}) == (400, "")


async def test_a_content_type_may_name_its_characters(endpoint: Endpoint, token: str) -> None:
    kind = {"Content-Type": "application/json; charset=utf-8"}
    assert await endpoint.post(teams_body(), token, kind) == (202, "")


async def test_a_body_may_be_compressed(endpoint: Endpoint, token: str) -> None:
    body = gzip.compress(json.dumps(teams_body()).encode())
    assert await endpoint.post(body, token, {"Content-Encoding": "gzip"}) == (202, "")


async def test_a_body_that_only_says_it_is_compressed_is_malformed(
    endpoint: Endpoint, token: str
) -> None:
    status, _ = await endpoint.post(teams_body(), token, {"Content-Encoding": "gzip"})
    assert status == 400


async def test_strangers_are_refused_before_their_body_is_read(endpoint: Endpoint) -> None:
    assert await endpoint.post(b"{") == (401, "")


async def test_a_picture_may_come_as_a_data_uri(endpoint: Endpoint, token: str) -> None:
    data = "iVBO" * 500_000
    picture = {"contentType": "image/png", "contentUrl": f"data:image/png;base64,{data}"}
    assert await endpoint.post(teams_body(attachments=[picture]), token) == (202, "")
    [message] = endpoint.inbox.messages
    assert message.attachments[0].source == {"data": data}


async def test_a_body_beyond_the_limit_is_too_large(openid: OpenIdServer, token: str) -> None:
    async with serve_endpoint(endpoint_settings(openid, max_body_bytes=2000)) as endpoint:
        assert await endpoint.post(teams_body(), token) == (202, "")
        assert await endpoint.post(teams_body(text="x" * 2000), token) == (413, "")
        bomb = gzip.compress(json.dumps(teams_body(text="x" * 1_000_000)).encode())
        assert await endpoint.post(bomb, token, {"Content-Encoding": "gzip"}) == (413, "")


async def head(endpoint: Endpoint, token: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send the headers of a delivery whose body stays incomplete."""
    reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.port)
    writer.write(
        b"POST /api/messages HTTP/1.1\r\nHost: loupe\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\nAuthorization: Bearer " + token.encode() + b"\r\n\r\n{"
    )
    await writer.drain()
    return reader, writer


async def test_a_body_that_dawdles_is_given_up(
    endpoint: Endpoint, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "BODY_SECONDS", 0.05)
    reader, writer = await head(endpoint, token)
    async with asyncio.timeout(5):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_a_connection_that_breaks_off_harms_nobody(endpoint: Endpoint, token: str) -> None:
    _, writer = await head(endpoint, token)
    writer.transport.abort()
    assert await endpoint.post(teams_body(), token) == (202, "")
    assert len(endpoint.inbox.messages) == 1


async def test_half_a_surrogate_pair_does_not_get_through(endpoint: Endpoint, token: str) -> None:
    body = json.dumps(teams_body(text="\N{CAMERA}")).replace("\\udcf7", "\\udcf7 \\ud83d!").encode()
    assert await endpoint.post(body, token) == (202, "")
    [message] = endpoint.inbox.messages
    assert message.text == "\N{CAMERA} ?!"


async def test_replies_in_the_response_are_none(endpoint: Endpoint, token: str) -> None:
    status, body = await endpoint.post(teams_body(deliveryMode="expectReplies"), token)
    assert (status, json.loads(body)) == (200, {"activities": []})
    assert len(endpoint.inbox.messages) == 1
