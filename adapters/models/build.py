"""Builds the models that are configured; imports only what these need, which takes seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.models.gpt4v import Gpt4vModel
    from adapters.models.offline import OfflineAnalyst
    from adapters.models.settings import ModelSettings
    from adapters.models.streaming_client import ChatModel
    from adapters.models.transcription import TranscriptionModel
    from bot.limits import RequestLimits


def build_model(
    settings: ModelSettings, limits: RequestLimits, vision: tuple[str, str] | None = None
) -> ChatModel | Gpt4vModel | OfflineAnalyst:
    """Return the model that answers.

    `vision` is address and key of the Azure AI Vision resource that the retired format of GPT-4V
    hands to its service.
    """
    if settings.offline:
        from adapters.models.offline import OfflineAnalyst  # noqa: PLC0415

        return OfflineAnalyst()
    if settings.api == "gpt4v-extensions":
        from adapters.models.gpt4v import Gpt4vModel, VisionResource  # noqa: PLC0415

        return Gpt4vModel(settings, limits, VisionResource(*vision) if vision else None)
    from adapters.models.streaming_client import ChatModel  # noqa: PLC0415

    return ChatModel(settings, limits)


def build_speech(settings: ModelSettings) -> TranscriptionModel | None:
    """Return the model that transcribes; None if none is configured."""
    if not settings.transcribe_model:
        return None
    from adapters.models.transcription import TranscriptionModel  # noqa: PLC0415

    return TranscriptionModel(settings)
