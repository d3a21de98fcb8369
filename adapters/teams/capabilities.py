"""The places that the Bot Framework brings, and what can be done in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.teams.activities import TEAMS
from bot.ports.channel import Capabilities

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.teams.addresses import TeamsAddress


PERSONAL = "Teams, personal chat"
GROUP = "Teams, group chat"
CHANNEL = "Teams, channel"
EMULATOR = "Emulator"
OTHERS = "other channels of the Bot Framework"

PLACES: Mapping[str, Capabilities] = {
    PERSONAL: Capabilities(files=True, pictures=True, streams=True, stop_button=True),
    GROUP: Capabilities(pictures=True, attachments=False),
    CHANNEL: Capabilities(pictures=True, attachments=False),
    EMULATOR: Capabilities(pictures=True),
    OTHERS: Capabilities(edits=False, pictures=True),
}
"""What can be done where; pace and length of texts are settings."""

_IN_TEAMS = {"personal": PERSONAL, "channel": CHANNEL}


def place_of(address: TeamsAddress) -> str:
    """Name the place of an address, one of `PLACES`."""
    channel = address.channel
    if channel == TEAMS:
        return _IN_TEAMS.get(address.scope, GROUP)
    return EMULATOR if channel == "emulator" else OTHERS
