"""What a request may hold, and what its pictures and words cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.frame_ids import is_frame
from bot.domain.token_costs import picture_tokens, text_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.budget import Budget
    from bot.ports.model import Picture
    from bot.prompt.vision_context import VisionContext


PER_MESSAGE = 8
"""Tokens that a message's frame costs, cautiously."""


def places(
    pictures: Sequence[Picture], budget: Budget, context: VisionContext | None = None
) -> int:
    """Count the pictures that may go, by number and by what the dearest of them costs.

    What was seen in them goes in any case.
    """
    dearest = max((picture_cost(picture, budget) for picture in pictures), default=1)
    remaining = budget.tokens - budget.words
    if context is not None:
        remaining -= sum(text_cost(sighting_of(picture, context)) for picture in pictures)
    return max(1, min(budget.pictures, remaining // dearest))


def sighting_of(picture: Picture, context: VisionContext) -> str:
    """Return what was seen in a picture, in short for each photo of a contact sheet."""
    brief = len(picture.numbers) > 1
    if brief and is_frame(picture.numbers[0]):  # An overview: its frames were not looked at.
        return ""
    return "\n".join(filter(None, (context.of(number, brief=brief) for number in picture.numbers)))


def picture_cost(picture: Picture, budget: Budget, context: VisionContext | None = None) -> int:
    """Estimate the tokens of a picture, with what was seen in it."""
    sighting_text = sighting_of(picture, context) if context else ""
    words = text_cost(sighting_text) if sighting_text else 0
    return picture_tokens(budget.family, picture.width, picture.height) + PER_MESSAGE + words


def text_cost(text: str) -> int:
    """Estimate the tokens of words that are a part of their own."""
    return text_tokens(text) + PER_MESSAGE
