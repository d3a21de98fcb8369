"""Limits of what is sent to the Bot Connector."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from adapters.retries import Patience
from bot.settings import MIB, Section


class TeamsLimits(Section):
    """How much, how often and how long; the defaults follow Microsoft's documentation.

    https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
    https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux
    """

    model_config = SettingsConfigDict(env_prefix="LOUPE_TEAMS_")

    text_limit: int = Field(
        20_000, ge=1_000, le=20_000, description="characters of one message; Teams takes 80 KB"
    )
    send_tries: int = Field(6, ge=1, description="tries of one send or edit")
    send_seconds: float = Field(45, gt=0, description="longest send or edit with all its tries")
    request_seconds: float = Field(15, gt=0, description="longest single request")
    edit_pace: float = Field(2.0, ge=1, description="seconds between edits of a growing answer")
    stream_pace: float = Field(1.5, ge=1, description="seconds between chunks of a stream")
    stream_seconds: float = Field(
        110, gt=0, description="a stream is closed then, and edits go on; Teams ends it at 120"
    )
    file_hours: float = Field(24, gt=0, description="an offered file is kept this long")
    file_bytes: int = Field(20 * MIB, gt=0, description="largest file offered")

    @property
    def patience(self) -> Patience:
        """How long what has to arrive is tried."""
        return Patience(self.send_tries, self.send_seconds)

    @property
    def brief(self) -> Patience:
        """How long is tried what the next edit will carry anyway."""
        return Patience(2, min(5.0, self.send_seconds))
