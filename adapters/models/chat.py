"""Answers from Azure OpenAI or any server of the same kind, by streamed chat completions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.identity.aio import DefaultAzureCredential, get_bearer_token_provider
from openai import AsyncOpenAI

from adapters.models.service import Service, timeouts
from adapters.models.wire import Dialect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.models.settings import ModelSettings
    from bot.settings import Limits

    Token = Callable[[], Awaitable[str]]

NO_KEY = "no-key"
"""Sent to servers that ask for none; the client insists on having one."""


class ChatModel(Service):
    """A provider's models; `token` returns a token of Microsoft Entra ID in place of a key."""

    def __init__(self, settings: ModelSettings, limits: Limits, token: Token | None = None) -> None:
        self._credential: DefaultAzureCredential | None = None
        client = AsyncOpenAI(
            base_url=settings.base_url,
            api_key=token or self._key(settings),
            max_retries=0,
            timeout=timeouts(settings),
        )
        dialect = Dialect(limits.max_answer_tokens, settings.temperature)
        super().__init__(settings, client, dialect)

    def _key(self, settings: ModelSettings) -> str | Token:
        azure = settings.provider == "azure"
        if key := settings.azure_key if azure else settings.openai_key:
            return key.get_secret_value()
        if not azure:
            return NO_KEY
        self._credential = DefaultAzureCredential()
        return get_bearer_token_provider(self._credential, settings.azure_scope)

    async def close(self) -> None:
        """Close all connections."""
        await super().close()
        if self._credential is not None:
            await self._credential.close()
