"""What a request costs a model, in tokens: pictures by model family, words by an estimate.

Sizes and prices of pictures are those of OpenAI's guide to images and of the calculator
jamesmcroft/openai-image-token-calculator (2026-05-11). Services have been observed to bill small
models less than documented; the usage that they report is the truth, and this is for planning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil, floor, sqrt

LONGEST_SIDE = 2048
"""A larger picture is scaled down to this by the service before anything is counted."""


@dataclass(frozen=True, slots=True)
class TilePrice:
    """A price by tiles of 512 pixels, of a picture whose short side is at most 768."""

    base: int
    per_tile: int

    def cost(self, width: float, height: float) -> int:
        """Return the tokens of a picture that is within `LONGEST_SIDE`."""
        scale = min(1.0, 768 / min(width, height))
        tiles = _ceil(width * scale / 512) * _ceil(height * scale / 512)
        return self.base + tiles * self.per_tile


@dataclass(frozen=True, slots=True)
class PatchPrice:
    """A price by patches of 32 pixels, of a picture shrunk until they are within the budget."""

    budget: int
    multiplier: float = 1.0

    def cost(self, width: float, height: float) -> int:
        """Return the tokens of a picture that is within `LONGEST_SIDE`."""
        across, down = width / 32, height / 32
        if _ceil(across) * _ceil(down) > self.budget:
            scale = sqrt(self.budget / (across * down))
            across, down = across * scale, down * scale
            whole = min(max(floor(side), 1) / side for side in (across, down))
            across, down = across * whole, down * whole
        patches = min(_ceil(across) * _ceil(down), self.budget)
        return _ceil(patches * self.multiplier)


Price = TilePrice | PatchPrice

FAMILIES: dict[str, Price] = {
    "gpt-4": TilePrice(85, 170),
    "gpt-4o": TilePrice(85, 170),
    "gpt-4o-mini": TilePrice(2833, 5667),
    "gpt-4.1": TilePrice(85, 170),
    "gpt-4.1-mini": PatchPrice(1536, 1.62),
    "gpt-4.1-nano": PatchPrice(1536, 2.46),
    "gpt-4.5": TilePrice(85, 170),
    "gpt-5": TilePrice(70, 140),
    "gpt-5-mini": PatchPrice(1536, 1.62),
    "gpt-5-nano": PatchPrice(1536, 2.46),
    "gpt-5.1": TilePrice(70, 140),
    "gpt-5.2": PatchPrice(1536),
    "gpt-5.3": PatchPrice(1536),
    "gpt-5.4": PatchPrice(2500),
    "gpt-5.4-mini": PatchPrice(1536, 1.62),
    "gpt-5.4-nano": PatchPrice(1536, 2.46),
    "gpt-5.5": PatchPrice(2500),
    "o1": TilePrice(75, 150),
    "o3": TilePrice(75, 150),
    "o4-mini": PatchPrice(1536, 1.72),
}
"""Prices by family; a family is what `family_of` makes of a model's name."""

INFLATED = "gpt-4o-mini"
"""A family that counts some 33 times the tokens of gpt-4o for a picture, to reach the same price.

It is no measure for other families.
"""

_NAME = re.compile(r"(?:[\w.-]+/)*(gpt-\d+(?:\.\d+)?o?|o\d)(-mini|-nano)?(?=-|$)", re.IGNORECASE)


def family_of(model: str) -> str:
    """Return the family by a model's name ("gpt-5.1-2025-11-13": "gpt-5.1"), "" if unknown."""
    match = _NAME.match(model.strip())
    family = "".join(part or "" for part in match.groups()).lower() if match else ""
    return family if family in FAMILIES else ""


def picture_tokens(family: str, width: int, height: int) -> int:
    """Return the tokens of a picture of that many pixels; of an unknown family, the highest."""
    scale = min(1.0, LONGEST_SIDE / max(width, height, 1))
    size = max(width, 1) * scale, max(height, 1) * scale
    if price := FAMILIES.get(family):
        return price.cost(*size)
    return max(price.cost(*size) for name, price in FAMILIES.items() if name != INFLATED)


def text_tokens(text: str) -> int:
    """Estimate what words cost, rather too much than too little: a token for 3 bytes of UTF-8.

    English has about 4 characters a token; scripts beyond Latin have 2 to 3 bytes a character
    and about a token for each one or two.
    """
    return ceil(len(text.encode("utf-8", "replace")) / 3)


def _ceil(value: float) -> int:
    """Round up, ignoring an error in the last binary digits."""
    return ceil(round(value, 6))
