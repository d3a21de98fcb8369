"""Tokens of the Bot Framework, and which activities they authenticate."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from aiohttp import ClientSession

from adapters.teams import auth
from adapters.teams.auth import SKEW_SECONDS, TeamsAuthentication, TokenVerifier, Unauthenticated
from adapters.teams.hosts import ConnectorHosts
from adapters.teams.signing_keys import SigningKeys
from tests.helpers.teams_endpoint import APP_ID, SERVICE, TENANT, activity, endpoint_settings
from tests.servers.openid import ISSUER, Key, OpenIdServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.teams.settings import TeamsSettings


@pytest.fixture
async def keys(openid: OpenIdServer) -> AsyncIterator[SigningKeys]:
    async with ClientSession() as session:
        keys = SigningKeys(session, openid.url)
        yield keys
        await keys.stop()


@pytest.fixture
def tokens(openid: OpenIdServer, keys: SigningKeys) -> TokenVerifier:
    return TokenVerifier(endpoint_settings(openid), keys)


async def test_a_token_of_the_service_is_verified(
    tokens: TokenVerifier, openid: OpenIdServer
) -> None:
    token = await tokens.verify(f"Bearer {openid.token(APP_ID, SERVICE)}")
    assert token.claims["serviceurl"] == SERVICE
    assert token.key.id == "first"


def from_now(claims: dict[str, Any]) -> dict[str, Any]:
    """Return claims with time spans added to the time at which the test runs."""
    now = int(time.time())
    return {
        name: now + int(value.total_seconds()) if isinstance(value, timedelta) else value
        for name, value in claims.items()
    }


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://api.botframework.us"},
        {"iss": "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/"},
        {"iss": None},
        {"aud": "another-app"},
        {"aud": None},
        {"exp": None},
        {"exp": timedelta(seconds=-SKEW_SECONDS - 1)},
        {"exp": "soon"},
        {"nbf": timedelta(seconds=SKEW_SECONDS + 60)},
        {"serviceurl": None},
    ],
)
async def test_a_token_with_a_wrong_claim_is_refused(
    tokens: TokenVerifier, openid: OpenIdServer, claims: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated):
        await tokens.verify(f"Bearer {openid.token(APP_ID, SERVICE, **from_now(claims))}")


@pytest.mark.parametrize(
    "claims", [{"exp": timedelta(seconds=-60)}, {"nbf": timedelta(seconds=60)}]
)
async def test_clocks_may_differ_a_little(
    tokens: TokenVerifier, openid: OpenIdServer, claims: dict[str, Any]
) -> None:
    assert await tokens.verify(f"Bearer {openid.token(APP_ID, SERVICE, **from_now(claims))}")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic dXNlcjpzZWNyZXQ=", "Bearer é.é.é"],
)
async def test_what_is_no_token_is_refused(tokens: TokenVerifier, header: str) -> None:
    with pytest.raises(Unauthenticated):
        await tokens.verify(header)


async def test_a_forged_signature_is_refused(tokens: TokenVerifier, openid: OpenIdServer) -> None:
    claims = jwt.decode(openid.token(APP_ID, SERVICE), options={"verify_signature": False})
    token = openid.signed(claims, Key("first"))
    with pytest.raises(Unauthenticated, match="Signature verification failed"):
        await tokens.verify(f"Bearer {token}")


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_other_algorithms_are_refused(
    tokens: TokenVerifier, openid: OpenIdServer, algorithm: str
) -> None:
    claims = jwt.decode(openid.token(APP_ID, SERVICE), options={"verify_signature": False})
    secret = None if algorithm == "none" else openid.keys[0].public["n"]
    token = jwt.encode(claims, secret, algorithm=algorithm, headers={"kid": "first"})
    with pytest.raises(Unauthenticated):
        await tokens.verify(f"Bearer {token}")


async def test_a_token_without_a_keys_name_is_refused(
    tokens: TokenVerifier, openid: OpenIdServer
) -> None:
    claims = jwt.decode(openid.token(APP_ID, SERVICE), options={"verify_signature": False})
    nameless = jwt.encode(claims, openid.keys[0].private, algorithm="RS256")
    with pytest.raises(Unauthenticated, match="unknown key"):
        await tokens.verify(f"Bearer {nameless}")
    assert openid.fetches == 0


async def test_a_verified_token_is_remembered(
    tokens: TokenVerifier, openid: OpenIdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = f"Bearer {openid.token(APP_ID, SERVICE)}"
    first = await tokens.verify(header)
    monkeypatch.setattr(auth.jwt, "decode", None)
    assert await tokens.verify(header) is first


async def test_a_remembered_token_ends_with_its_time(
    openid: OpenIdServer, keys: SigningKeys
) -> None:
    times = [time.time(), time.time() + SKEW_SECONDS + 1]
    tokens = TokenVerifier(endpoint_settings(openid), keys, clock=lambda: times[-1])
    header = f"Bearer {openid.token(APP_ID, SERVICE, exp=int(time.time()))}"
    first = await tokens.verify(header)
    assert await tokens.verify(header) is not first


async def test_a_remembered_token_ends_with_its_key(
    openid: OpenIdServer, keys: SigningKeys
) -> None:
    tokens = TokenVerifier(endpoint_settings(openid), keys)
    header = f"Bearer {openid.token(APP_ID, SERVICE)}"
    await tokens.verify(header)
    openid.rotate()
    await keys.refresh()
    with pytest.raises(Unauthenticated, match="unknown key"):
        await tokens.verify(header)


async def test_the_oldest_tokens_are_forgotten(
    tokens: TokenVerifier, openid: OpenIdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "MAX_CACHED_TOKENS", 2)
    headers = [f"Bearer {openid.token(APP_ID, SERVICE, jti=str(n))}" for n in range(3)]
    verified_tokens = [await tokens.verify(header) for header in headers]
    assert await tokens.verify(headers[2]) is verified_tokens[2]
    assert await tokens.verify(headers[0]) is not verified_tokens[0]


@pytest.mark.parametrize(
    ("cloud", "issuer"),
    [
        ("https://login.botframework.azure.us/v1/.well-known/openidconfiguration", ".us"),
        ("https://login.botframework.azure.cn/v1/.well-known/openidconfiguration", ".azure.cn"),
        ("https://login.botframework.com/v1/.well-known/openidconfiguration", ".com"),
    ],
)
async def test_every_cloud_has_its_issuer(
    openid: OpenIdServer, keys: SigningKeys, cloud: str, issuer: str
) -> None:
    tokens = TokenVerifier(endpoint_settings(openid, openid_url=cloud), keys)
    theirs = ISSUER.removesuffix(".com") + issuer
    assert await tokens.verify(f"Bearer {openid.token(APP_ID, SERVICE, iss=theirs)}")
    with pytest.raises(Unauthenticated):
        await tokens.verify(f"Bearer {openid.token(APP_ID, SERVICE, iss='https://other')}")


def authentication(settings: TeamsSettings, keys: SigningKeys) -> TeamsAuthentication:
    return TeamsAuthentication(settings, TokenVerifier(settings, keys), ConnectorHosts(settings))


class Checks:
    """Authenticates activities with various settings."""

    def __init__(self, openid: OpenIdServer, keys: SigningKeys) -> None:
        self.openid = openid
        self.keys = keys

    async def __call__(self, name: str = "teams_personal_text", **changes: Any) -> str:
        """Return why the activity is refused; empty if it is accepted."""
        settings = endpoint_settings(self.openid, **changes.pop("settings", {}))
        post = activity(name, **{"serviceUrl": SERVICE, **changes})
        checks = authentication(settings, self.keys)
        try:
            await checks.authenticate_request(post, f"Bearer {self.openid.token(APP_ID, SERVICE)}")
        except Unauthenticated as error:
            return str(error)
        return ""


@pytest.fixture
def refusal_reason(openid: OpenIdServer, keys: SigningKeys) -> Checks:
    return Checks(openid, keys)


async def test_a_genuine_activity_is_served(refusal_reason: Checks) -> None:
    assert await refusal_reason() == ""


async def test_a_token_is_for_one_service_url(refusal_reason: Checks) -> None:
    assert await refusal_reason(serviceUrl="https://smba.trafficmanager.net/amer/") == (
        "the token is for another service URL"
    )


@pytest.mark.parametrize("url", ["https://evil.example/", "https://evil.trafficmanager.net/", None])
async def test_the_service_url_has_to_be_a_connectors(
    refusal_reason: Checks, url: str | None
) -> None:
    assert await refusal_reason(serviceUrl=url) == "the service URL is not one that is served"


@pytest.mark.parametrize("channel", ["facebook", "MSTEAMS"])
async def test_the_key_has_to_be_endorsed_for_the_channel(
    refusal_reason: Checks, channel: str
) -> None:
    assert (
        await refusal_reason(channelId=channel) == "the signing key is not endorsed for the channel"
    )


async def test_a_key_without_endorsements_signs_for_nobody(
    refusal_reason: Checks, openid: OpenIdServer
) -> None:
    openid.keys[0].endorsements = ()
    assert await refusal_reason() == "the signing key is not endorsed for the channel"


async def test_an_activity_without_a_channel_is_refused(refusal_reason: Checks) -> None:
    assert await refusal_reason(channelId=None) == "the activity names no channel"


SINGLE = {"app_type": "SingleTenant", "app_tenant": TENANT.upper()}


@pytest.mark.parametrize(
    ("settings", "tenant", "is_served"),
    [
        ({}, "any", True),
        ({}, None, True),
        ({"tenants": f"other,{TENANT}"}, TENANT, True),
        ({"tenants": "other"}, TENANT, False),
        ({"tenants": "other"}, None, False),
        (SINGLE, TENANT, True),
        (SINGLE, "other", False),
        (SINGLE, None, False),
        ({**SINGLE, "tenants": "other"}, "other", True),
        ({**SINGLE, "app_type": "UserAssignedMSI"}, "other", False),
    ],
)
async def test_only_the_tenants_served(
    refusal_reason: Checks, settings: dict[str, Any], tenant: str | None, is_served: bool
) -> None:
    place = {"id": "a:1", "conversationType": "personal", "tenantId": tenant}
    reason = await refusal_reason(settings=settings, channelData=None, conversation=place)
    assert reason == ("" if is_served else "the tenant is not one that is served")


async def test_a_channel_outside_microsoft_365_has_no_tenant(refusal_reason: Checks) -> None:
    assert await refusal_reason("webchat_text", settings=SINGLE) == ""
    other = {"tenant": {"id": "other"}}
    assert await refusal_reason("webchat_text", settings=SINGLE, channelData=other) == (
        "the tenant is not one that is served"
    )


async def test_a_turn_gets_an_identity_and_no_client(
    openid: OpenIdServer, keys: SigningKeys
) -> None:
    checks = authentication(endpoint_settings(openid), keys)
    result = await checks.authenticate_request(
        activity("teams_personal_text", serviceUrl=SERVICE),
        f"Bearer {openid.token(APP_ID, SERVICE)}",
    )
    assert result.claims_identity.is_authenticated
    assert await result.connector_factory.create(SERVICE, "")
    assert checks.create_connector_factory(None) is result.connector_factory
    assert await checks.create_user_token_client(None) is None


async def test_streaming_connections_are_refused(openid: OpenIdServer, keys: SigningKeys) -> None:
    checks = authentication(endpoint_settings(openid), keys)
    with pytest.raises(Unauthenticated):
        await checks.authenticate_streaming_request("", "")
