"""The checks of `loupe doctor`: each model is asked once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.models.build import build_model, build_speech

if TYPE_CHECKING:
    from adapters.models.settings import ModelSettings
    from bot.limits import RequestLimits


async def check_model(
    settings: ModelSettings, limits: RequestLimits, vision: tuple[str, str] | None, name: str
) -> str:
    """Ask one model for a word; raises what is wrong."""
    model = build_model(settings, limits, vision)
    try:
        return await model.check(name)
    finally:
        await model.close()


async def check_speech(settings: ModelSettings) -> str:
    """Have the model that transcribes hear a tone; raises what is wrong."""
    speech = build_speech(settings)
    if speech is None:
        return "No model transcribes."
    try:
        return await speech.check()
    finally:
        await speech.close()
