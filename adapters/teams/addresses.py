"""Where an answer goes in the Bot Framework."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping

Scope = Literal["personal", "groupChat", "channel", ""]
"""Where in Teams a conversation is; empty for every other channel."""

Account = dict[str, str]
"""A bot or a person as activities name them: `id`, `name` and, of people, `aadObjectId`."""


@dataclass(frozen=True, slots=True)
class TeamsAddress:
    """The conversation to answer in, at the connector `service` (a URL).

    `channel` is the Bot Framework's name of the channel, `team` the id of the team in Teams and
    `activity` that of the activity which is answered. `invoke` is the value of an invoke that was
    accepted as work of the channel's own.
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
    """Read a stored address, of which 0.4.0 wrote the same fields; raises `ValidationError`."""
    return _ADDRESS.validate_python(fields)
