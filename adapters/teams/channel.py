"""The channel to Teams and, with fewer capabilities, to all other Bot Framework channels."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from adapters.teams import render
from adapters.teams.addresses import PLACES, TEAMS, place_of
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
    """The channel "msteams", and all others that the Bot Framework connects."""

    name = TEAMS

    def __init__(
        self,
        connector: Connector,
        growing_messages: GrowingMessages,
        consents: FileConsents,
        files: TeamsFiles,
        limits: TeamsLimits,
    ) -> None:
        self._connector = connector
        self._growing_messages = growing_messages
        self._consents = consents
        self._files = files
        self._limits = limits

    def capabilities(self, address: TeamsAddress) -> Capabilities:
        """Return what can be done at an address."""
        capabilities = PLACES[place_of(address)]
        pace = self._limits.stream_pace if capabilities.streams else self._limits.edit_pace
        return replace(capabilities, pace=pace, text_limit=self._limits.text_limit)

    async def post(self, address: TeamsAddress, post: Post) -> str:
        """Post a message and return its id, empty where only the typing indicator is shown.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.
        """
        return await self._growing_messages.post(address, post)

    async def edit(self, address: TeamsAddress, message_id: str, post: Post) -> None:
        """Edit a message of ours; a failure is ignored unless the text is final.

        A final text whose message cannot be edited is posted as a new message. Raises
        `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`, `StoppedByUser`.
        """
        await self._growing_messages.edit(address, message_id, post)

    async def send_file(
        self, address: TeamsAddress, name: str, media_type: str, data: bytes
    ) -> None:
        """Offer a file, which is uploaded when the user accepts it; raises as `post` does."""
        await self._consents.offer(address, name, data)

    async def send_picture(self, address: TeamsAddress, picture: PictureAttachment) -> None:
        """Post a picture as a separate message, because Teams splits one that has text too.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused` (`ActivityTooLarge` if even
        the small version is too large).
        """
        try:
            await self._post_picture(address, picture.file_name, picture.jpeg)
        except ActivityTooLarge as refusal:
            log.info("picture_too_big", size=len(picture.jpeg), why=str(refusal))
            await self._post_picture(address, picture.file_name, picture.small)

    async def fetch(
        self, address: TeamsAddress, file: Attachment, into: Path, allowance: SizeLimits
    ) -> bool:
        """Write a file's bytes to `into`, within the size limits; raises `FileProblem`."""
        await self._files.fetch(address, file, into, allowance)
        return True

    async def run_task(self, message: Message) -> None:
        """Upload an offered file that the user accepted, or withdraw one that was declined."""
        await self._consents.settle(message.address)

    async def add_details(self, message: Message) -> Message:
        """Return the message unchanged: an activity already has everything."""
        return message

    async def earlier_messages(self, message: Message) -> tuple[Message, ...]:
        """Return no messages: Teams does not let a bot read earlier posts."""
        return ()

    async def _post_picture(self, address: TeamsAddress, name: str, jpeg: bytes) -> None:
        activity = await asyncio.to_thread(render.picture, address, name, jpeg)
        await self._connector.post(address.service, address.conversation, activity)
