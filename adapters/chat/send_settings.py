"""Limits of sends that every chat platform has."""

from __future__ import annotations

from pydantic import Field

from bot.retry import RetryPolicy
from bot.settings import Section


class SendLimits(Section):
    """How often and how long to send; each platform has its own prefix and defaults."""

    send_tries: int = Field(6, ge=1, description="attempts for one send or edit")
    send_seconds: float = Field(
        45, gt=0, description="longest time for one send or edit with all attempts, seconds"
    )
    request_seconds: float = Field(15, gt=0, description="longest single request, seconds")
    edit_pace: float = Field(2.0, ge=0, description="seconds between edits of a growing answer")
    stream_pace: float = Field(1.5, ge=0, description="seconds between chunks of a stream")
    stream_seconds: float = Field(
        110, gt=0, description="a stream is closed after this time and edits continue, seconds"
    )

    @property
    def retry_policy(self) -> RetryPolicy:
        """How long to go on trying to send what must arrive."""
        return RetryPolicy(self.send_tries, self.send_seconds)

    @property
    def brief_policy(self) -> RetryPolicy:
        """How long to try an edit whose text the next edit will carry anyway."""
        return RetryPolicy(2, min(5.0, self.send_seconds))
