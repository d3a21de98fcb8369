"""The channel to Teams, and plainly to every other one of the Bot Framework."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from adapters.teams import render as posts
from adapters.teams.activities import TEAMS
from adapters.teams.capabilities import PLACES, place_of
from adapters.teams.errors import ActivityTooLarge

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.chat.growing_message import GrowingMessages
    from adapters.teams.addresses import TeamsAddress
    from adapters.teams.connector import Connector
    from adapters.teams.file_consent import FileConsents
    from adapters.teams.files import TeamsFiles
    from adapters.teams.settings import TeamsLimits
    from bot.domain.messages import Attachment, Message
    from bot.domain.size_limits import SizeLimits
    from bot.ports.channel import Capabilities, PictureAttachment, Post

log = structlog.get_logger()


class TeamsChannel:
    """The channel "msteams", and every other one that the Bot Framework brings."""

    name = TEAMS

    def __init__(
        self,
        connector: Connector,
        growth: GrowingMessages,
        consents: FileConsents,
        files: TeamsFiles,
        limits: TeamsLimits,
    ) -> None:
        self._connector = connector
        self._growth = growth
        self._consents = consents
        self._files = files
        self._limits = limits

    def capabilities(self, address: TeamsAddress) -> Capabilities:
        """Return what can be done at an address."""
        able = PLACES[place_of(address)]
        pace = self._limits.stream_pace if able.streams else self._limits.edit_pace
        return replace(able, pace=pace, text_limit=self._limits.text_limit)

    async def post(self, address: TeamsAddress, post: Post) -> str:
        """Show a new message and return its id, empty where only typing is shown.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.
        """
        return await self._growth.post(address, post)

    async def edit(self, address: TeamsAddress, message_id: str, post: Post) -> None:
        """Change a message of ours; what is not final is given up where it cannot be shown.

        A final text whose message cannot be edited is posted anew. Raises `DeliveryUnknown`,
        `ConversationGone`, `DeliveryRefused`, `StoppedByUser`.
        """
        await self._growth.edit(address, message_id, post)

    async def send_file(
        self, address: TeamsAddress, name: str, media_type: str, data: bytes
    ) -> None:
        """Offer a file; it is handed over when the user accepts. Raises as `post` does."""
        await self._consents.offer(address, name, data)

    async def send_picture(self, address: TeamsAddress, picture: PictureAttachment) -> None:
        """Show a picture as a message of its own: Teams splits one that holds text too.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused` (`ActivityTooLarge` where
        not even the smaller one is taken).
        """
        try:
            await self._show_picture(address, picture.file_name, picture.jpeg)
        except ActivityTooLarge as refusal:
            log.info("picture_too_big", size=len(picture.jpeg), why=str(refusal))
            await self._show_picture(address, picture.file_name, picture.small)

    async def fetch(
        self, address: TeamsAddress, file: Attachment, into: Path, allowance: SizeLimits
    ) -> bool:
        """Write a file's bytes to `into`, no more than is allowed; raises `FileProblem`."""
        await self._files.fetch(address, file, into, allowance)
        return True

    async def run_task(self, message: Message) -> None:
        """Hand over a file that the user accepted, or take back one that was declined."""
        await self._consents.settle(message.address)

    async def add_details(self, message: Message) -> Message:
        """Give the message itself: Teams tells everything at once."""
        return message

    async def earlier_messages(self, message: Message) -> tuple[Message, ...]:
        """Give nothing: Teams does not show a bot what was posted before."""
        return ()

    async def _show_picture(self, address: TeamsAddress, name: str, jpeg: bytes) -> None:
        activity = await asyncio.to_thread(posts.picture, address, name, jpeg)
        await self._connector.post(address.service, address.conversation, activity)
