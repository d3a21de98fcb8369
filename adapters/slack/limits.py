"""Limits of what is sent to Slack and asked of it."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from adapters.chat.send_settings import SendLimits


class SlackLimits(SendLimits):
    """How much, how often and how long; the defaults follow Slack's documentation.

    https://docs.slack.dev/reference/block-kit/blocks/markdown-block/
    https://docs.slack.dev/apis/web-api/rate-limits/
    """

    model_config = SettingsConfigDict(env_prefix="LOUPE_SLACK_")

    text_limit: int = Field(
        8_000,
        ge=1_000,
        le=11_000,
        description="characters of one message; Slack takes 12,000 and counts its translation",
    )
    stream_pace: float = Field(1.0, ge=0, description="seconds between chunks of a stream")
    stream_seconds: float = Field(
        240,
        gt=0,
        description="a stream is closed then, and edits go on; Slack ends it at about 300",
    )
    stream_channels: bool = Field(
        True, description="stream in channels too, where only who asked sees the answer grow"
    )
    earlier_pictures: int = Field(
        10, ge=0, description="pictures read of a thread that Loupe is first asked in"
    )
    name_hours: float = Field(24, gt=0, description="a person's name is asked for again after that")
