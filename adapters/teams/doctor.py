"""Checks of the services of Microsoft that Teams needs, for `loupe doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import ClientSession

from adapters.teams.access_token import bot_token
from adapters.teams.settings import TeamsSettings
from adapters.teams.signing_keys import SigningKeys
from bot.checks import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.settings import Sections

SIGN_IN = (
    "Check MicrosoftAppId, MicrosoftAppPassword, MicrosoftAppType and MicrosoftAppTenantId "
    "against the Azure Bot, and that this machine reaches LOUPE_TOKEN_URL."
)
SIGNING_KEYS = "Check LOUPE_OPENID_URL, and that this machine reaches it."


def teams_checks(sections: Sections) -> Iterator[Check]:
    """Yield the checks of Teams; none while no bot is configured."""
    settings = sections[TeamsSettings]
    if not settings.playground:
        yield Check("Teams token", lambda: check_token(settings), SIGN_IN)
        yield Check("Teams signing keys", lambda: check_keys(settings), SIGNING_KEYS)


async def check_token(settings: TeamsSettings) -> str:
    """Fetch the bot's token; raises the error if that fails."""
    async with ClientSession() as session:
        token = bot_token(session, settings)
        try:
            await token.value()
        finally:
            await token.close()
    return "Microsoft gives the bot its token."


async def check_keys(settings: TeamsSettings) -> str:
    """Fetch the keys that sign Microsoft's messages; raises the error if that fails."""
    async with ClientSession() as session:
        keys = SigningKeys(session, settings.openid_url)
        try:
            if not await keys.refresh():
                raise OSError(f"no signing keys came from {settings.openid_url}")
        finally:
            await keys.stop()
    return "The keys that sign Microsoft's messages are there."
