"""Authentication of activities, in place of botbuilder's own.

The rules are those of https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
and two more: the tenant and the service URL must be among those that are served. Tokens of the
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
"""How far the clocks may differ, as Microsoft specifies."""
MAX_CACHED_TOKENS = 1024
"""Most verified tokens in the cache; the connector sends the same one for an hour."""


class Unauthenticated(PermissionError):
    """The sender is not proven to be the Bot Framework; the message says why, for the log."""


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A token after verification.

    `key` signed it, and `expires` is when it expires, in seconds since the epoch.
    """

    claims: dict[str, Any]
    key: SigningKey
    expires: float


class TokenVerifier:
    """Verifies bearer tokens, and caches them until they expire or their keys are withdrawn."""

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
        self._cache: OrderedDict[str, VerifiedToken] = OrderedDict()

    async def verify(self, header: str) -> VerifiedToken:
        """Verify the value of an Authorization header.

        Raises `Unauthenticated`, and `KeysUnavailable` as long as no key was ever fetched.
        """
        token = self._cache.get(header)
        if token and self._is_valid(token):
            self._cache.move_to_end(header)
            return token
        token = await self._decode(header)
        self._store(header, token)
        return token

    def _is_valid(self, token: VerifiedToken) -> bool:
        return token.expires > self._clock() and self._keys.get(token.key.id) is token.key

    async def _decode(self, header: str) -> VerifiedToken:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("there is no bearer token")
        try:
            key = await self._signing_key(token)
            claims = self._claims(token, key)
            return VerifiedToken(claims, key, float(claims["exp"]) + SKEW_SECONDS)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise Unauthenticated(f"the token is not valid: {error}") from None

    async def _signing_key(self, token: str) -> SigningKey:
        key_id = jwt.get_unverified_header(token).get("kid")
        key = await self._keys.find(key_id) if isinstance(key_id, str) else None
        if key is None:
            raise Unauthenticated("the token is signed with an unknown key")
        return key

    def _claims(self, token: str, key: SigningKey) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token,
            key.public,
            algorithms=["RS256"],
            audience=self._audience,
            issuer=self._issuer,
            leeway=SKEW_SECONDS,
            options={"require": ["aud", "exp", "iss", "serviceurl"]},
        )
        return claims

    def _store(self, header: str, token: VerifiedToken) -> None:
        self._cache[header] = token
        if len(self._cache) > MAX_CACHED_TOKENS:
            self._cache.popitem(last=False)


class NoConnectors(ConnectorFactory):  # type: ignore[misc]
    """Creates no connector: answers are sent after the turn, from the store."""

    async def create(self, service_url: str, audience: str) -> object:
        """Return an object that is never used; botbuilder rejects a turn without a connector."""
        return self


class TeamsAuthentication(BotFrameworkAuthentication):  # type: ignore[misc]
    """Decides which activities are accepted, in place of botbuilder's own checks."""

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
        """Check an activity against its token; raises `Unauthenticated`.

        In playground mode there is no token, and only the channel and the service URL are checked.
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
        """Raise `Unauthenticated`: activities are accepted by POST only."""
        raise Unauthenticated("streaming connections are not served")

    def create_connector_factory(self, claims_identity: ClaimsIdentity) -> ConnectorFactory:
        """Return the factory that creates no connectors."""
        return self._connectors

    async def create_user_token_client(self, claims_identity: ClaimsIdentity) -> None:
        """Return None: Loupe never asks a user to sign in."""

    def _check(self, activity: Activity, token: VerifiedToken) -> None:
        if token.claims["serviceurl"] != activity.service_url:
            raise Unauthenticated("the token is for another service URL")
        if activity.channel_id not in token.key.endorsements:
            raise Unauthenticated("the signing key is not endorsed for the channel")
        if not self._is_of_served_tenant(activity):
            raise Unauthenticated("the tenant is not one that is served")

    def _is_of_served_tenant(self, activity: Activity) -> bool:
        """Return whether the tenant is served; only channels outside Teams may have none."""
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
