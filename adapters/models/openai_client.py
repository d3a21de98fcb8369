"""Connections to a provider: the clients, their key or identity, and their time-outs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from azure.identity.aio import DefaultAzureCredential, get_bearer_token_provider
from openai import AsyncAzureOpenAI, AsyncOpenAI, Timeout

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.models.settings import ModelSettings

    Token = Callable[[], Awaitable[str]]

NO_KEY = "no-key"
"""Sent to servers that need no key, since the client requires one."""


def timeouts(settings: ModelSettings) -> Timeout:
    """Return the time-outs of a client."""
    return Timeout(settings.first_seconds, connect=settings.connect_seconds)


def host_of(client: AsyncOpenAI) -> str:
    """Return the host of a client, with the port if any."""
    return urlsplit(str(client.base_url)).netloc.rpartition("@")[2]


class ProviderClients:
    """A provider's clients, which make no retries of their own.

    `token` returns a token of Microsoft Entra ID in place of a key.
    """

    def __init__(self, settings: ModelSettings, token: Token | None = None) -> None:
        self._settings = settings
        self._credential: DefaultAzureCredential | None = None
        self._key = token or self._key_of(settings)
        self.client = AsyncOpenAI(
            base_url=settings.base_url,
            api_key=self._key,
            max_retries=0,
            timeout=timeouts(settings),
        )
        self._clients = [self.client]

    def _key_of(self, settings: ModelSettings) -> str | Token:
        azure = settings.provider == "azure"
        if key := settings.azure_key if azure else settings.openai_key:
            return key.get_secret_value()
        if not azure:
            return NO_KEY
        self._credential = DefaultAzureCredential()
        return get_bearer_token_provider(self._credential, settings.azure_scope)

    def dated(self, version: str) -> AsyncAzureOpenAI:
        """Return a client of the API that Azure had before v1, with one address per deployment."""
        client = AsyncAzureOpenAI(
            azure_endpoint=self._settings.azure_root,
            api_version=version,
            api_key=self._key if isinstance(self._key, str) else None,
            azure_ad_token_provider=None if isinstance(self._key, str) else self._key,
            max_retries=0,
            timeout=timeouts(self._settings),
        )
        self._clients.append(client)
        return client

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients:
            await client.close()
        if self._credential is not None:
            await self._credential.close()
