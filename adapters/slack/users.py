"""The names of people, by their ids."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any

from adapters.http.json_fields import dig, name
from bot.aio import fan_out
from bot.clock import Clock
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.slack.web_api import SlackApi

MOST = 5_000
"""Names kept; of more, those that were not asked for longest are forgotten."""
FAILED_SECONDS = 60.0
"""A name that could not be had is asked for again after that."""


class Users:
    """Asks Slack who somebody is, and remembers it for some hours."""

    def __init__(self, api: SlackApi, hours: float, clock: Clock | None = None) -> None:
        self._api = api
        self._seconds = hours * 3600
        self._clock = clock or Clock()
        self._known: OrderedDict[tuple[str, str], tuple[str, float]] = OrderedDict()

    async def name(self, team: str, user: str) -> str:
        """Return the name that a person goes by in a workspace; empty when it cannot be had."""
        known, until = self._known.get((team, user), ("", 0.0))
        if self._clock.now() >= until:
            known, until = await self._asked(team, user)
        self._keep((team, user), known, until)
        return known

    async def names(self, team: str, users: Iterable[str]) -> dict[str, str]:
        """Return the names of several people by id; those that cannot be had are left out."""
        ids = list(dict.fromkeys(users))
        names = await fan_out(partial(self.name, team), ids)
        return {ids[index]: full for index, full in names.items() if full}

    async def _asked(self, team: str, user: str) -> tuple[str, float]:
        """Ask Slack; returns the name, and until when that holds."""
        if not user:
            return "", float("inf")
        try:
            answer = await self._api.call(
                team, "users.info", repeatable=True, brief=True, user=user
            )
        except (ConversationGone, DeliveryRefused, DeliveryUnknown):
            return "", self._clock.now() + FAILED_SECONDS
        return _shown(answer.get("user")), self._clock.now() + self._seconds

    def _keep(self, key: tuple[str, str], known: str, until: float) -> None:
        self._known[key] = (known, until)
        self._known.move_to_end(key)
        while len(self._known) > MOST:
            self._known.popitem(last=False)


def _shown(user: Any) -> str:
    """Take the name that Slack shows: https://docs.slack.dev/reference/objects/user-object/."""
    given = (dig(user, "profile", "display_name"), dig(user, "profile", "real_name"))
    return next(filter(None, map(name, (*given, dig(user, "real_name")))), "")
