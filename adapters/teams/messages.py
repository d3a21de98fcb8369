"""Text messages in Bot Framework channels: posted and edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.teams import render
from adapters.teams.addresses import PLACES, place_of
from adapters.teams.errors import ActivityTooLarge, ConnectorError

if TYPE_CHECKING:
    from adapters.teams.addresses import TeamsAddress
    from adapters.teams.connector import Connector
    from adapters.teams.settings import TeamsLimits
    from bot.ports.channel import DeliveryRefused, Post

NOT_EDITABLE = {400, 403, 404, 405, 410, 501}
"""Statuses of a refused edit that no retry changes: that message cannot be edited."""
SHORT_BYTES = render.MAX_BYTES // 4
"""Most bytes of a text after the connector refused it as too large."""


class TeamsMessages:
    """Implements `adapters.chat.growing_message.MessageEditor`."""

    def __init__(self, connector: Connector, limits: TeamsLimits) -> None:
        self._connector = connector
        self._limits = limits

    def edits(self, address: TeamsAddress) -> bool:
        """Return whether a message can be edited."""
        return PLACES[place_of(address)].edits

    def streams(self, address: TeamsAddress) -> bool:
        """Return whether there are streams, which is so in personal chats."""
        return PLACES[place_of(address)].streams

    def behind(self, address: TeamsAddress) -> float:
        """Return how many seconds an edit has to wait longer than a chunk of a stream."""
        return self._limits.edit_pace - self._limits.stream_pace if self.streams(address) else 0.0

    async def say(self, address: TeamsAddress, post: Post) -> str:
        """Post a text, shortened if it is too large, and return the id of its message."""
        service, conversation = address.service, address.conversation
        try:
            return await self._connector.post(service, conversation, render.message(address, post))
        except ActivityTooLarge:
            short_activity = render.message(address, post, SHORT_BYTES)
            return await self._connector.post(service, conversation, short_activity)

    async def change(
        self, address: TeamsAddress, message_id: str, post: Post, *, brief: bool
    ) -> None:
        """Edit a message; a text that is too large is shortened, unless the edit is `brief`.

        The edit that follows a brief one carries its text.
        """
        service, conversation = address.service, address.conversation
        activity = render.message(address, post)
        try:
            await self._connector.put(service, conversation, message_id, activity, brief=brief)
        except ActivityTooLarge:
            if brief:
                raise
            short_activity = render.message(address, post, SHORT_BYTES)
            await self._connector.put(service, conversation, message_id, short_activity)

    async def hint(self, address: TeamsAddress) -> None:
        """Show the typing indicator."""
        service, conversation = address.service, address.conversation
        await self._connector.post(service, conversation, render.typing(address), brief=True)

    def lost(self, refusal: DeliveryRefused) -> bool:
        """Return whether a refused edit means that the message can never be edited."""
        return isinstance(refusal, ConnectorError) and refusal.status in NOT_EDITABLE
