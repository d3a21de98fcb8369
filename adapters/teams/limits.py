"""Limits of what is sent to the Bot Connector."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from adapters.chat.send_settings import SendLimits
from bot.settings import MIB


class TeamsLimits(SendLimits):
    """How much, how often and how long; the defaults follow Microsoft's documentation.

    https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
    https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux
    """

    model_config = SettingsConfigDict(env_prefix="LOUPE_TEAMS_")

    text_limit: int = Field(
        20_000, ge=1_000, le=20_000, description="characters of one message; Teams takes 80 KB"
    )
    stream_seconds: float = Field(
        110, gt=0, description="a stream is closed then, and edits go on; Teams ends it at 120"
    )
    file_hours: float = Field(24, gt=0, description="an offered file is kept this long")
    file_bytes: int = Field(20 * MIB, gt=0, description="largest file offered")
