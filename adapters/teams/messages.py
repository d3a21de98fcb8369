"""Texts in Teams, and plainly in every other Bot Framework channel: posted, and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.teams import render as posts
from adapters.teams.capabilities import PLACES, place_of
from adapters.teams.errors import ActivityTooLarge, ConnectorError

if TYPE_CHECKING:
    from adapters.teams.addresses import TeamsAddress
    from adapters.teams.connector import Connector
    from adapters.teams.settings import TeamsLimits
    from bot.ports.channel import DeliveryRefused, Post

NEVER = {400, 403, 404, 405, 410, 501}
"""Refusals of an edit that no repetition changes: that message cannot be edited."""
SHORTER = posts.MAX_BYTES // 4
"""Most bytes of what was too big for a connector."""


class TeamsMessages:
    """Implements `adapters.chat.growing_message.MessageEditor`."""

    def __init__(self, connector: Connector, limits: TeamsLimits) -> None:
        self._connector = connector
        self._limits = limits

    def edits(self, address: TeamsAddress) -> bool:
        """Return whether a sent text can be changed."""
        return PLACES[place_of(address)].edits

    def streams(self, address: TeamsAddress) -> bool:
        """Return whether there are streams: in chats with one person."""
        return PLACES[place_of(address)].streams

    def behind(self, address: TeamsAddress) -> float:
        """Return how many seconds a plain edit waits more than a chunk of a stream."""
        return self._limits.edit_pace - self._limits.stream_pace if self.streams(address) else 0.0

    async def say(self, address: TeamsAddress, post: Post) -> str:
        """Post a text, or its beginning where the whole is too big; returns its id."""
        service, conversation = address.service, address.conversation
        try:
            return await self._connector.post(service, conversation, posts.message(address, post))
        except ActivityTooLarge:
            shorter = posts.message(address, post, SHORTER)
            return await self._connector.post(service, conversation, shorter)

    async def change(
        self, address: TeamsAddress, message_id: str, post: Post, *, brief: bool
    ) -> None:
        """Change a text; one that is too big is cut, unless the next edit carries it anyway."""
        service, conversation = address.service, address.conversation
        whole = posts.message(address, post)
        try:
            await self._connector.put(service, conversation, message_id, whole, brief=brief)
        except ActivityTooLarge:
            if brief:
                raise
            shorter = posts.message(address, post, SHORTER)
            await self._connector.put(service, conversation, message_id, shorter)

    async def hint(self, address: TeamsAddress) -> None:
        """Show that something is being written."""
        service, conversation = address.service, address.conversation
        await self._connector.post(service, conversation, posts.typing(address), brief=True)

    def lost(self, refusal: DeliveryRefused) -> bool:
        """Return whether a refused edit means that the message can never be edited."""
        return isinstance(refusal, ConnectorError) and refusal.status in NEVER
