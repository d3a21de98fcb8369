"""A channel that is not configured any more: its stored messages cannot be answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from bot.errors import FileProblem, Reason
from bot.ports.channel import Capabilities, ConversationGone

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.messages import Address, Attachment, Message
    from bot.domain.size_limits import SizeLimits
    from bot.ports.channel import PictureAttachment, Post


class DisabledChannel:
    """Takes the place of a channel whose credentials were removed; nothing can be posted there."""

    def __init__(self, name: str) -> None:
        self.name = name

    def capabilities(self, address: Address) -> Capabilities:
        """Return the capabilities of a channel that cannot do anything."""
        return Capabilities(edits=False)

    async def post(self, address: Address, post: Post) -> str:
        """Raise `ConversationGone`."""
        self._refuse()

    async def edit(self, address: Address, message_id: str, post: Post) -> None:
        """Raise `ConversationGone`."""
        self._refuse()

    async def send_file(self, address: Address, name: str, media_type: str, data: bytes) -> None:
        """Raise `ConversationGone`."""
        self._refuse()

    async def send_picture(self, address: Address, picture: PictureAttachment) -> None:
        """Raise `ConversationGone`."""
        self._refuse()

    async def fetch(
        self, address: Address, file: Attachment, into: Path, allowance: SizeLimits
    ) -> bool:
        """Raise `FileProblem`."""
        raise FileProblem(Reason.GONE)

    async def run_task(self, message: Message) -> None:
        """Raise `ConversationGone`."""
        self._refuse()

    async def add_details(self, message: Message) -> Message:
        """Return the message as it is."""
        return message

    async def earlier_messages(self, message: Message) -> tuple[Message, ...]:
        """Return no posts."""
        return ()

    def _refuse(self) -> NoReturn:
        raise ConversationGone(f"{self.name} is not configured")
