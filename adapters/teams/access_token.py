"""The bot's token for the Bot Connector: cached, and renewed before it expires."""

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
RENEW_BEFORE = 300.0
"""Seconds before a token expires at which it is renewed; one that lives less than twice that is
renewed after half its life.
"""
RENEW_INTERVAL = 30.0
"""Seconds between attempts to renew a token that is still valid."""
RETRY_POLICY = RetryPolicy(3, 20.0)


class TokenUnavailable(DeliveryRefused):
    """The bot has no token, so nothing was sent; the message tells the operator why."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token, and for how many seconds from now it is valid."""

    value: str
    seconds: float


class TokenSource(Protocol):
    """Where tokens come from."""

    async def fetch(self) -> AccessToken:
        """Fetch a new token; raises `TokenUnavailable`."""
        ...

    async def close(self) -> None:
        """Release the resources of the source."""
        ...


class ClientCredentials:
    """Fetches tokens with the client secret, from the bot's tenant or the Bot Framework's own."""

    def __init__(self, session: ClientSession, settings: TeamsSettings, clock: Clock) -> None:
        single_tenant = settings.app_type == "SingleTenant"
        tenant = settings.app_tenant if single_tenant else MULTI_TENANT
        self._session = session
        self._url = f"{settings.token_url}/{tenant}/oauth2/v2.0/token"
        self._settings = settings
        self._clock = clock

    async def fetch(self) -> AccessToken:
        """Fetch a new token, retrying temporary failures; raises `TokenUnavailable`."""
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
                    await _refusal(response),
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
        """Do nothing, as the session is shared."""


class ManagedIdentity:
    """Fetches tokens of the user-assigned managed identity of this machine."""

    def __init__(self, settings: TeamsSettings) -> None:
        self._credential = ManagedIdentityCredential(client_id=settings.app_id)
        self._scope = _scope(settings)

    async def fetch(self) -> AccessToken:
        """Fetch a new token; raises `TokenUnavailable`."""
        try:
            token = await self._credential.get_token_info(self._scope)
        except AzureError as error:
            raise TokenUnavailable(f"no token of the managed identity: {error.message}") from None
        return AccessToken(token.token, token.expires_on - time.time())

    async def close(self) -> None:
        """Close the credential's own session."""
        await self._credential.close()


class BotToken:
    """The current token; calls at the same time share one fetch."""

    def __init__(self, source: TokenSource | None, clock: Clock | None = None) -> None:
        self._source = source
        self._clock = clock or Clock()
        self._value = ""
        self._expires_at = self._renew_at = float("-inf")
        self._fetch_task: asyncio.Task[None] | None = None
        self._error = ""

    async def value(self) -> str:
        """Return a valid token, empty in the playground; raises `TokenUnavailable`."""
        if self._source is None:
            return ""
        now = self._clock.now()
        if now >= self._renew_at and (self._fetch_task is None or self._fetch_task.done()):
            self._fetch_task = asyncio.create_task(self._renew(self._source))
        if now >= self._expires_at and self._fetch_task is not None:
            await asyncio.shield(self._fetch_task)
            if self._clock.now() >= self._expires_at:
                raise TokenUnavailable(self._error)
        return self._value

    def drop(self, value: str) -> None:
        """Discard a token that a service refused, unless it was renewed since."""
        if value == self._value:
            self._expires_at = self._renew_at = float("-inf")

    async def _renew(self, source: TokenSource) -> None:
        """Fetch a new token; if that fails, the old one is used for as long as it is valid."""
        try:
            token = await source.fetch()
        except TokenUnavailable as error:
            self._error = str(error)
            log.warning("bot_token_not_renewed", why=self._error)
            if self._clock.now() < self._expires_at:
                self._renew_at = self._clock.now() + RENEW_INTERVAL
            return
        now = self._clock.now()
        self._value = token.value
        self._expires_at = now + token.seconds
        self._renew_at = max(now + token.seconds / 2, self._expires_at - RENEW_BEFORE)

    async def close(self) -> None:
        """Cancel a fetch that is running, and close the source."""
        if self._fetch_task is not None:
            await end(self._fetch_task)
        if self._source is not None:
            await self._source.close()


def bot_token(
    session: ClientSession, settings: TeamsSettings, clock: Clock | None = None
) -> BotToken:
    """Return the token of the configured bot; without a bot its value is always empty."""
    clock = clock or Clock()
    if settings.playground:
        return BotToken(None, clock)
    if settings.app_type == "UserAssignedMSI":
        return BotToken(ManagedIdentity(settings), clock)
    return BotToken(ClientCredentials(session, settings, clock), clock)


def _scope(settings: TeamsSettings) -> str:
    """Return the scope that the token is for.

    https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
    """
    return f"{settings.issuer}/.default"


async def _token(response: ClientResponse) -> AccessToken:
    try:
        body = await response.json(content_type=None)
        return AccessToken(str(body["access_token"]), float(body["expires_in"]))
    except (ValueError, TypeError, KeyError):
        raise TokenUnavailable("the token service's response has no token") from None


async def _refusal(response: ClientResponse) -> TokenUnavailable:
    """Return the refusal with the message of the service, which contains no secret."""
    try:
        body = await response.json(content_type=None)
        description = str(body["error_description"]).splitlines()[0]
    except (ValueError, TypeError, KeyError, IndexError):
        description = ""
    return TokenUnavailable(f"the token service answered {response.status}: {description[:300]}")
