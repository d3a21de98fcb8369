"""Trials of what Teams needs from Microsoft, for `loupe doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import ClientSession

from adapters.teams.access_token import bot_token
from adapters.teams.signing_keys import SigningKeys

if TYPE_CHECKING:
    from adapters.teams.settings import TeamsSettings


async def check_token(settings: TeamsSettings) -> str:
    """Get the bot's token; raises what is wrong."""
    async with ClientSession() as session:
        token = bot_token(session, settings)
        try:
            await token.value()
        finally:
            await token.close()
    return "Microsoft gives the bot its token."


async def check_keys(settings: TeamsSettings) -> str:
    """Get the keys that sign Microsoft's messages; raises what is wrong."""
    async with ClientSession() as session:
        keys = SigningKeys(session, settings.openid_url)
        try:
            if not await keys.refresh():
                raise OSError(f"no signing keys came from {settings.openid_url}")
        finally:
            await keys.stop()
    return "The keys that sign Microsoft's messages are there."
