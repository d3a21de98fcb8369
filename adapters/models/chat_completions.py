"""Answers from Azure OpenAI or any server of the same kind, by streamed chat completions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.models.chat_request import RequestParameters
from adapters.models.openai_client import ProviderClients
from adapters.models.streaming_client import StreamingModel

if TYPE_CHECKING:
    from adapters.models.openai_client import Token
    from adapters.models.settings import ModelSettings
    from bot.limits import RequestLimits


class ChatModel(StreamingModel):
    """A provider's models; `token` returns a token of Microsoft Entra ID in place of a key."""

    def __init__(
        self, settings: ModelSettings, limits: RequestLimits, token: Token | None = None
    ) -> None:
        self._connection = ProviderClients(settings, token)
        dialect = RequestParameters(limits.max_answer_tokens, settings.temperature)
        super().__init__(settings, self._connection.client, dialect)

    async def close(self) -> None:
        """Close all connections."""
        await self._connection.close()
