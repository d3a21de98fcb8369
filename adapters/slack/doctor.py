"""The checks of `loupe doctor` for Slack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.http.json_fields import dig, name
from adapters.slack.settings import SlackSettings
from bot.checks import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import SecretStr

    from bot.settings import Sections

SLACK = (
    "Check SLACK_BOT_TOKEN, and that this machine reaches SLACK_API_URL. If you changed "
    "the app's scopes, install the app in the workspace again."
)
SLACK_SOCKET = "Check SLACK_APP_TOKEN (scope connections:write), and that Socket Mode is on."

SCOPES = frozenset(
    {
        *("app_mentions:read", "assistant:write", "channels:history", "channels:read"),
        *("chat:write", "commands", "files:read", "files:write", "groups:history"),
        *("groups:read", "im:history", "mpim:history", "reactions:read", "users:read"),
    }
)
"""The scopes that the bot token needs; the manifest requests the same."""


def slack_checks(sections: Sections) -> Iterator[Check]:
    """Yield the checks of Slack; none if no app is configured."""
    settings = sections[SlackSettings]
    if settings.configured:
        yield Check("Slack", lambda: check_slack(settings), SLACK)
    if settings.socket:
        yield Check("Slack socket", lambda: check_socket(settings), SLACK_SOCKET)


async def check_slack(settings: SlackSettings) -> str:
    """Check the bot token and its scopes; raises `OSError` or `PermissionError`."""
    response = await _call(settings, settings.bot_token, "auth.test")
    granted_scopes = set(response.headers.get("x-oauth-scopes", "").replace(" ", "").split(","))
    if lacking_scopes := SCOPES - granted_scopes:
        raise PermissionError(f"the bot token lacks the scopes {', '.join(sorted(lacking_scopes))}")
    bot, team = name(dig(response.data, "user")), name(dig(response.data, "team"))
    return f"Slack knows the bot as {bot} in {team}."


async def check_socket(settings: SlackSettings) -> str:
    """Check that the app token opens a socket; raises `OSError`."""
    await _call(settings, settings.app_token, "apps.connections.open")
    return "Slack opens a socket to the app."


async def _call(
    settings: SlackSettings, token: SecretStr | None, method: str
) -> AsyncSlackResponse:
    secret = token.get_secret_value() if token else ""
    client = AsyncWebClient(secret, base_url=settings.api_url, retry_handlers=[])
    try:
        return await client.api_call(method)
    except SlackApiError as error:
        raise OSError(f"Slack answers {_error_code(error.response)} to {method}") from None
    except (ClientError, AttributeError) as error:
        raise OSError(f"{method} cannot be asked: {type(error).__name__}") from None


def _error_code(response: object) -> str:
    """Return Slack's error code, or the HTTP status if there is none."""
    if isinstance(response, AsyncSlackResponse):
        return name(dig(response.data, "error")) or str(response.status_code)
    return "no JSON"
