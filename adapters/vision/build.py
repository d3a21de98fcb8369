"""Builds the vision engine and the embedding that are configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.vision.settings import VisionSettings
    from bot.limits import ChildLimits, FileLimits
    from bot.ports.embedding import Embedding
    from bot.ports.vision import Vision


def build_vision(settings: VisionSettings, limits: FileLimits, children: ChildLimits) -> Vision:
    """Return the engine that is configured; imports only what it needs, which takes long."""
    if settings.endpoint:
        from adapters.vision.azure import AzureVision  # noqa: PLC0415

        return AzureVision(settings, limits, children)
    from adapters.vision.local import LocalVision  # noqa: PLC0415

    return LocalVision(limits, settings)


def build_embedding(settings: VisionSettings, vision: Vision | None = None) -> Embedding | None:
    """Return what embeds pictures and words; None if no Azure resource is configured.

    It shares the resource of `vision`, and thus its rate, if that is Azure's, which then has to be
    closed after it.
    """
    if not settings.endpoint:
        return None
    from adapters.vision.azure import AzureVision  # noqa: PLC0415
    from adapters.vision.azure_client import AzureClient  # noqa: PLC0415
    from adapters.vision.azure_embedding import AzureEmbedding  # noqa: PLC0415

    if isinstance(vision, AzureVision):
        return AzureEmbedding(vision.resource, is_shared=True)
    return AzureEmbedding(AzureClient(settings))
