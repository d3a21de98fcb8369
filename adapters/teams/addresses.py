"""Addresses in the Bot Framework: where to answer an activity."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping

TEAMS = "msteams"
"""The Bot Framework's name of the channel to Teams."""

Scope = Literal["personal", "groupChat", "channel", ""]
"""The kind of conversation in Teams; empty for all other channels."""

Account = dict[str, str]
"""A bot or a person as in activities: `id`, `name` and, of people, `aadObjectId`."""


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
