"""Addresses in the Bot Framework: where to answer an activity, and what can be done there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter

from bot.ports.channel import Capabilities

if TYPE_CHECKING:
    from collections.abc import Mapping

TEAMS = "msteams"
"""The Bot Framework's name of the channel to Teams."""

Scope = Literal["personal", "groupChat", "channel", ""]
"""The kind of conversation in Teams; empty for all other channels."""

Account = dict[str, str]
"""A bot or a person as in activities: `id`, `name` and, of people, `aadObjectId`."""

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
"""What can be done at each place; `pace` and `text_limit` come from the settings."""

_TEAMS_PLACES = {"personal": PERSONAL, "channel": CHANNEL}


@dataclass(frozen=True, slots=True)
class TeamsAddress:
    """The conversation to answer in, at the connector `service` (a URL).

    `channel` is the Bot Framework's name of the channel, `team` the id of the team in Teams, and
    `activity` the id of the activity to answer. `invoke` is the value of an invoke that was
    accepted as the channel's own work.
    """

    conversation: str
    service: str = ""
    scope: Scope = ""
    channel: str = ""
    bot: Account = field(default_factory=dict)
    user: Account = field(default_factory=dict)
    tenant: str = ""
    team: str = ""
    activity: str = ""
    locale: str = ""
    invoke: dict[str, Any] | None = None


_ADDRESS = TypeAdapter(TeamsAddress)


def read_address(fields: Mapping[str, Any]) -> TeamsAddress:
    """Return a stored address, whose fields are those of 0.4.0; raises `ValidationError`."""
    return _ADDRESS.validate_python(fields)


def place_of(address: TeamsAddress) -> str:
    """Return the place of an address, one of `PLACES`."""
    if address.channel == TEAMS:
        return _TEAMS_PLACES.get(address.scope, GROUP)
    return EMULATOR if address.channel == "emulator" else OTHERS
