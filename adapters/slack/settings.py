"""The settings of the Slack app, and the limits of what it sends."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from adapters.chat.send_settings import SendLimits
from bot.settings import MIB, Section, WebAddress


def _beginning(prefix: str) -> AfterValidator:
    """Check the prefix by which Slack tells tokens apart: https://docs.slack.dev/authentication/tokens/."""

    def check(token: SecretStr | None) -> SecretStr | None:
        if token and not token.get_secret_value().startswith(prefix):
            raise ValueError(f"it must begin with {prefix}")
        return token

    return AfterValidator(check)


def _emoji(name: str) -> str:
    """Return an emoji's name without colons; empty for `off`."""
    name = name.strip().strip(":").lower()
    return "" if name == "off" else name


class SlackSettings(Section):
    """The settings of an installed Slack app; without a bot token the channel is off.

    Events arrive by HTTP with the signing secret, or through a socket with the app token. The
    names of the three secrets and of `SLACK_API_URL` are those of Slack's own tools.
    """

    model_config = SettingsConfigDict(env_prefix="LOUPE_SLACK_")

    bot_token: Annotated[SecretStr | None, _beginning("xoxb-")] = Field(
        None, validation_alias="SLACK_BOT_TOKEN", description="the app's bot token, xoxb-…"
    )
    signing_secret: SecretStr | None = Field(
        None,
        validation_alias="SLACK_SIGNING_SECRET",
        description="the secret with which Slack signs requests",
    )
    app_token: Annotated[SecretStr | None, _beginning("xapp-")] = Field(
        None,
        validation_alias="SLACK_APP_TOKEN",
        description="the app-level token, xapp-…; turns on Socket Mode",
    )
    api_url: WebAddress = Field(
        "https://slack.com/api",
        validation_alias="SLACK_API_URL",
        description="address of Slack's Web API",
    )
    reaction: Annotated[str, AfterValidator(_emoji)] = Field(
        "mag", description='reaction that makes Loupe look at a post, or "off"'
    )
    max_body_bytes: int = Field(MIB, ge=1024, description="largest request body, bytes")

    @model_validator(mode="after")
    def _complete(self) -> SlackSettings:
        """Require a bot token and a secret to receive with, or none of them."""
        if self.bot_token and not (self.signing_secret or self.app_token):
            raise ValueError(
                "SLACK_BOT_TOKEN is set but neither SLACK_SIGNING_SECRET (events by HTTP) "
                "nor SLACK_APP_TOKEN (Socket Mode) is"
            )
        for name, secret in self._receiving_secrets.items():
            if secret and not self.bot_token:
                raise ValueError(f"{name} is set but SLACK_BOT_TOKEN is not")
        return self

    @property
    def _receiving_secrets(self) -> dict[str, SecretStr | None]:
        return {"SLACK_SIGNING_SECRET": self.signing_secret, "SLACK_APP_TOKEN": self.app_token}

    @property
    def configured(self) -> bool:
        """Whether a Slack app is configured."""
        return self.bot_token is not None

    @property
    def socket(self) -> bool:
        """Whether events arrive through a socket instead of by HTTP."""
        return self.app_token is not None


class SlackLimits(SendLimits):
    """Limits of sizes, rates and times; the defaults follow Slack's documentation.

    https://docs.slack.dev/reference/block-kit/blocks/markdown-block/
    https://docs.slack.dev/apis/web-api/rate-limits/
    """

    model_config = SettingsConfigDict(env_prefix="LOUPE_SLACK_")

    text_limit: int = Field(
        8_000,
        ge=1_000,
        le=11_000,
        description="most characters of one message; Slack accepts 12,000 after its own conversion",
    )
    stream_pace: float = Field(1.0, ge=0, description="seconds between chunks of a stream")
    stream_seconds: float = Field(
        240,
        gt=0,
        description="a stream is closed after this time and edits continue, seconds; "
        "Slack ends it at about 300",
    )
    stream_channels: bool = Field(
        True,
        description="stream in channels too, where only the person who asked sees the answer grow",
    )
    earlier_pictures: int = Field(
        10, ge=0, description="most earlier pictures read when Loupe is first asked in a thread"
    )
    name_hours: float = Field(
        24, gt=0, description="names of people are looked up again after this many hours"
    )
