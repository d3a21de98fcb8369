"""The checks of `loupe doctor`: the engines are tried once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.vision.build import build_embedding, build_vision

if TYPE_CHECKING:
    from adapters.vision.settings import VisionSettings
    from bot.limits import ChildLimits, FileLimits


async def check_vision(settings: VisionSettings, limits: FileLimits, children: ChildLimits) -> str:
    """Have the engine look at a blank picture; raises what is wrong."""
    vision = build_vision(settings, limits, children)
    try:
        return await vision.check()
    finally:
        await vision.close()


async def check_embedding(settings: VisionSettings) -> str:
    """Embed a few words; raises what is wrong."""
    embedding = build_embedding(settings)
    if embedding is None:
        return "Nothing embeds."
    try:
        await embedding.words("a car")
    finally:
        await embedding.close()
    return "Words are embedded, so that frames of videos are chosen by the question."
