"""How the local engine reads text."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from bot.settings import MIB, Section


class VisionSettings(Section):
    """The local engine: what it takes in, and what it lets through."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_OCR_")

    side: int = Field(
        1280, ge=320, le=4096, description="text is read in pictures of this long side, pixels"
    )
    confidence: float = Field(0.6, ge=0, le=1, description="least confidence of a line of text")
    seconds: float = Field(20, gt=0, le=600, description="longest reading of one picture")
    memory: int = Field(3072 * MIB, ge=1536 * MIB, description="address space of the reader, bytes")
