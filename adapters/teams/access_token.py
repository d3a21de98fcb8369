"""The bot's own token for the Bot Connector: one, cached, renewed before it expires."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog
from aiohttp import ClientError, ClientTimeout
from azure.core.exceptions import AzureError
from azure.identity.aio import ManagedIdentityCredential

from bot.aio import end
from bot.clock import Clock
from bot.ports.channel import DeliveryRefused
from bot.retry import (
    AttemptFailed,
    RetryBudget,
    RetryPolicy,
    is_temporary,
    retry_after,
    retrying,
)

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

    from adapters.teams.settings import TeamsSettings

log = structlog.get_logger()

MULTI_TENANT = "botframework.com"
AHEAD = 300.0
"""Seconds before the end of a token's life at which a new one is fetched."""
QUIET = 30.0
"""Seconds between attempts to renew a token that is still valid."""
RETRY_POLICY = RetryPolicy(3, 20.0)


class TokenUnavailable(DeliveryRefused):
    """The bot has no token, so nothing was sent; says why in words for the operator."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token and the number of seconds that it lives from now."""

    value: str
    seconds: float


class TokenSource(Protocol):
    """Where tokens come from."""

    async def fetch(self) -> AccessToken:
        """Get a new token; raises `TokenUnavailable`."""
        ...

    async def close(self) -> None:
        """Let go of what it holds."""
        ...


class ClientCredentials:
    """Tokens for the client secret, from the tenant of the bot (or Bot Framework's own)."""

    def __init__(self, session: ClientSession, settings: TeamsSettings, clock: Clock) -> None:
        single = settings.app_type == "SingleTenant"
        tenant = settings.app_tenant if single else MULTI_TENANT
        self._session = session
        self._url = f"{settings.token_url}/{tenant}/oauth2/v2.0/token"
        self._settings = settings
        self._clock = clock

    async def fetch(self) -> AccessToken:
        """Get a new token, retrying temporary failures; raises `TokenUnavailable`."""
        budget = RetryBudget(RETRY_POLICY, self._clock)
        return await retrying(self._fetch_once, budget, "bot_token_not_fetched")

    async def _fetch_once(self) -> AccessToken:
        try:
            async with self._session.post(
                self._url,
                data=self._form(),
                allow_redirects=False,
                timeout=ClientTimeout(total=10),
            ) as response:
                if response.status == 200:
                    return await _token(response)
                raise AttemptFailed(
                    await _problem(response),
                    retry=is_temporary(response.status),
                    requested_wait=retry_after(response.headers),
                )
        except (ClientError, TimeoutError) as error:
            unreachable = f"the token service cannot be reached: {type(error).__name__}"
            raise AttemptFailed(TokenUnavailable(unreachable), retry=True) from None

    def _form(self) -> dict[str, str]:
        password = self._settings.app_password
        return {
            "grant_type": "client_credentials",
            "client_id": self._settings.app_id,
            "client_secret": password.get_secret_value() if password else "",
            "scope": _scope(self._settings),
        }

    async def close(self) -> None:
        """Nothing is held: the session is shared."""


class ManagedIdentity:
    """Tokens of the user-assigned managed identity that the machine has."""

    def __init__(self, settings: TeamsSettings) -> None:
        self._credential = ManagedIdentityCredential(client_id=settings.app_id)
        self._scope = _scope(settings)

    async def fetch(self) -> AccessToken:
        """Get a new token; raises `TokenUnavailable`."""
        try:
            found = await self._credential.get_token_info(self._scope)
        except AzureError as error:
            raise TokenUnavailable(f"no token of the managed identity: {error.message}") from None
        return AccessToken(found.token, found.expires_on - time.time())

    async def close(self) -> None:
        """Close the credential's own session."""
        await self._credential.close()


class BotToken:
    """The current token. Many may ask at once: one fetch serves them all."""

    def __init__(self, source: TokenSource | None, clock: Clock | None = None) -> None:
        self._source = source
        self._clock = clock or Clock()
        self._value = ""
        self._expires = self._renew_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._why = ""

    async def value(self) -> str:
        """Give a valid token, empty in the playground; raises `TokenUnavailable`."""
        if self._source is None:
            return ""
        now = self._clock.now()
        if now >= self._renew_at and (self._fetching is None or self._fetching.done()):
            self._fetching = asyncio.create_task(self._renew(self._source))
        if now >= self._expires and self._fetching is not None:
            await asyncio.shield(self._fetching)
            if self._clock.now() >= self._expires:
                raise TokenUnavailable(self._why)
        return self._value

    def drop(self, value: str) -> None:
        """Forget a token that a service refused, unless it was renewed since."""
        if value == self._value:
            self._expires = self._renew_at = float("-inf")

    async def _renew(self, source: TokenSource) -> None:
        """Fetch a new token; when that fails the old one serves as long as it is valid."""
        try:
            token = await source.fetch()
        except TokenUnavailable as problem:
            self._why = str(problem)
            log.warning("bot_token_not_renewed", why=self._why)
            if self._clock.now() < self._expires:
                self._renew_at = self._clock.now() + QUIET
            return
        now = self._clock.now()
        self._value = token.value
        self._expires = now + token.seconds
        self._renew_at = max(now + token.seconds / 2, self._expires - AHEAD)

    async def close(self) -> None:
        """End a fetch that is under way and close the source."""
        if self._fetching is not None:
            await end(self._fetching)
        if self._source is not None:
            await self._source.close()


def bot_token(
    session: ClientSession, settings: TeamsSettings, clock: Clock | None = None
) -> BotToken:
    """Make the token of the configured bot; without a bot it is always empty."""
    clock = clock or Clock()
    if settings.playground:
        return BotToken(None, clock)
    if settings.app_type == "UserAssignedMSI":
        return BotToken(ManagedIdentity(settings), clock)
    return BotToken(ClientCredentials(session, settings, clock), clock)


def _scope(settings: TeamsSettings) -> str:
    """Name what the token is for.

    https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
    """
    return f"{settings.issuer}/.default"


async def _token(response: ClientResponse) -> AccessToken:
    try:
        body = await response.json(content_type=None)
        return AccessToken(str(body["access_token"]), float(body["expires_in"]))
    except (ValueError, TypeError, KeyError):
        raise TokenUnavailable("the token service's answer holds no token") from None


async def _problem(response: ClientResponse) -> TokenUnavailable:
    """Name a refusal in the service's own words, which hold no secret."""
    try:
        body = await response.json(content_type=None)
        words = str(body["error_description"]).splitlines()[0]
    except (ValueError, TypeError, KeyError, IndexError):
        words = ""
    return TokenUnavailable(f"the token service answered {response.status}: {words[:300]}")
