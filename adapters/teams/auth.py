"""Whether the Bot Framework really sent an activity, at botbuilder's own seam.

The rules are those of https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
with two more: the tenant and the service URL must be ones that are served. Tokens of the
Emulator's issuers are not accepted.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from botframework.connector.auth import (
    AuthenticateRequestResult,
    BotFrameworkAuthentication,
    ClaimsIdentity,
    ConnectorFactory,
)

from adapters.teams.activities import tenant_of
from adapters.teams.addresses import TEAMS
from adapters.teams.signing_keys import SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from botbuilder.schema import Activity

    from adapters.teams.hosts import ConnectorHosts
    from adapters.teams.settings import TeamsSettings
    from adapters.teams.signing_keys import SigningKeys

SKEW_SECONDS = 300
"""How far the clocks may differ, as Microsoft asks."""
KNOWN_TOKENS = 1024
"""Verified tokens remembered: the connector sends the same one for an hour."""


class Unauthenticated(PermissionError):
    """Nothing proves that the Bot Framework sent this; the text says what is wrong, for the log."""


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A verified token: its claims, the key that signed it, and when it ends (epoch seconds)."""

    claims: dict[str, Any]
    key: SigningKey
    expires: float


class TokenVerifier:
    """Verifies bearer tokens, and remembers those verified until they or their keys end."""

    def __init__(
        self,
        settings: TeamsSettings,
        keys: SigningKeys,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._audience = settings.app_id
        self._issuer = settings.issuer
        self._keys = keys
        self._clock = clock
        self._verified: OrderedDict[str, VerifiedToken] = OrderedDict()

    async def verify(self, header: str) -> VerifiedToken:
        """Verify the value of an Authorization header.

        Raises `Unauthenticated`, and `KeysUnavailable` as long as no key was ever fetched.
        """
        known = self._verified.get(header)
        if known and known.expires > self._clock() and self._keys.known(known.key.id) is known.key:
            self._verified.move_to_end(header)
            return known
        token = await self._decoded(header)
        self._remember(header, token)
        return token

    async def _decoded(self, header: str) -> VerifiedToken:
        scheme, _, encoded = header.partition(" ")
        if scheme.lower() != "bearer" or not encoded:
            raise Unauthenticated("there is no bearer token")
        try:
            key = await self._signing_key(encoded)
            claims = self._claims(encoded, key)
            return VerifiedToken(claims, key, float(claims["exp"]) + SKEW_SECONDS)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise Unauthenticated(f"the token is not valid: {error}") from None

    async def _signing_key(self, encoded: str) -> SigningKey:
        key_id = jwt.get_unverified_header(encoded).get("kid")
        key = await self._keys.find(key_id) if isinstance(key_id, str) else None
        if key is None:
            raise Unauthenticated("the token is signed with an unknown key")
        return key

    def _claims(self, encoded: str, key: SigningKey) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            encoded,
            key.public,
            algorithms=["RS256"],
            audience=self._audience,
            issuer=self._issuer,
            leeway=SKEW_SECONDS,
            options={"require": ["aud", "exp", "iss", "serviceurl"]},
        )
        return claims

    def _remember(self, header: str, token: VerifiedToken) -> None:
        self._verified[header] = token
        if len(self._verified) > KNOWN_TOKENS:
            self._verified.popitem(last=False)


class NoConnectors(ConnectorFactory):  # type: ignore[misc]
    """Makes no connector: answers are sent after the turn, from the store."""

    async def create(self, service_url: str, audience: str) -> object:
        """Return an object that nobody uses."""
        return self  # botbuilder refuses a turn whose connector is not true


class TeamsAuthentication(BotFrameworkAuthentication):  # type: ignore[misc]
    """Decides which activities are served; takes the place of botbuilder's own checks."""

    def __init__(
        self, settings: TeamsSettings, tokens: TokenVerifier, hosts: ConnectorHosts
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._hosts = hosts
        self._tenants = settings.served_tenants
        self._connectors = NoConnectors()

    async def authenticate_request(
        self, activity: Activity, auth_header: str
    ) -> AuthenticateRequestResult:
        """Check an activity against the token it came with; raises `Unauthenticated`.

        In playground mode there is no token, and only the service URL is checked.
        """
        if not activity.channel_id:
            raise Unauthenticated("the activity names no channel")
        if not self._hosts.is_connector(activity.service_url or ""):
            raise Unauthenticated("the service URL is not one that is served")
        if self._settings.playground:
            return self._result({})
        token = await self._tokens.verify(auth_header)
        self._check(activity, token)
        return self._result(token.claims)

    async def authenticate_streaming_request(
        self, auth_header: str, channel_id_header: str
    ) -> AuthenticateRequestResult:
        """Refuse: activities are taken by POST alone."""
        raise Unauthenticated("streaming connections are not served")

    def create_connector_factory(self, claims_identity: ClaimsIdentity) -> ConnectorFactory:
        """Return the factory that makes none."""
        return self._connectors

    async def create_user_token_client(self, claims_identity: ClaimsIdentity) -> None:
        """Return none: Loupe never asks a user to sign in."""

    def _check(self, activity: Activity, token: VerifiedToken) -> None:
        if token.claims["serviceurl"] != activity.service_url:
            raise Unauthenticated("the token is for another service URL")
        if activity.channel_id not in token.key.endorsements:
            raise Unauthenticated("the signing key is not endorsed for the channel")
        if not self._serves(activity):
            raise Unauthenticated("the tenant is not one that is served")

    def _serves(self, activity: Activity) -> bool:
        """Look the tenant up; only channels outside Microsoft 365 have none."""
        tenant = tenant_of(activity).lower()
        if not self._tenants:
            return True
        return tenant in self._tenants or (not tenant and activity.channel_id != TEAMS)

    def _result(self, claims: dict[str, Any]) -> AuthenticateRequestResult:
        result = AuthenticateRequestResult()
        result.audience = self._settings.issuer
        result.claims_identity = ClaimsIdentity(claims, bool(claims))
        result.connector_factory = self._connectors
        return result
