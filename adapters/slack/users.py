"""People's names by user id."""

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

MOST_NAMES = 5_000
"""Most names in the cache; the least recently used are dropped."""
FAILED_SECONDS = 60.0
"""A name that could not be looked up is tried again after this time."""


class Users:
    """Looks up people's names, and caches them for some hours."""

    def __init__(self, api: SlackApi, hours: float, clock: Clock | None = None) -> None:
        self._api = api
        self._seconds = hours * 3600
        self._clock = clock or Clock()
        self._cache: OrderedDict[tuple[str, str], tuple[str, float]] = OrderedDict()

    async def name(self, team: str, user: str) -> str:
        """Return the name of a person in a workspace; empty if it cannot be looked up."""
        name, expiry = self._cache.get((team, user), ("", 0.0))
        if self._clock.now() >= expiry:
            name, expiry = await self._look_up(team, user)
        self._store((team, user), name, expiry)
        return name

    async def names(self, team: str, users: Iterable[str]) -> dict[str, str]:
        """Return the names of several people by id; without those that cannot be looked up."""
        ids = list(dict.fromkeys(users))
        names = await fan_out(partial(self.name, team), ids)
        return {ids[index]: full for index, full in names.items() if full}

    async def _look_up(self, team: str, user: str) -> tuple[str, float]:
        """Return the name of a person, and when it expires by the clock, seconds."""
        if not user:
            return "", float("inf")
        try:
            response = await self._api.call(
                team, "users.info", repeatable=True, brief=True, user=user
            )
        except (ConversationGone, DeliveryRefused, DeliveryUnknown):
            return "", self._clock.now() + FAILED_SECONDS
        return _display_name(response.get("user")), self._clock.now() + self._seconds

    def _store(self, key: tuple[str, str], name: str, expiry: float) -> None:
        self._cache[key] = (name, expiry)
        self._cache.move_to_end(key)
        while len(self._cache) > MOST_NAMES:
            self._cache.popitem(last=False)


def _display_name(user: Any) -> str:
    """Return the name that Slack shows: https://docs.slack.dev/reference/objects/user-object/."""
    profile_names = (dig(user, "profile", "display_name"), dig(user, "profile", "real_name"))
    return next(filter(None, map(name, (*profile_names, dig(user, "real_name")))), "")
