"""A channel that is switched off: what was stored of it can no longer be answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from bot.channel import Abilities, Gone
from bot.problems import FileProblem, Reason

if TYPE_CHECKING:
    from pathlib import Path

    from bot.channel import OutPicture, Post
    from bot.media.allowance import Allowance
    from bot.messages import Address, Attachment, Message


class Absent:
    """Stands for a channel whose credentials were taken away; nothing can be said there."""

    def __init__(self, name: str) -> None:
        self.name = name

    def abilities(self, address: Address) -> Abilities:
        """Tell that nothing can be done."""
        return Abilities(edits=False)

    async def post(self, address: Address, post: Post) -> str:
        """Raise `Gone`."""
        self._refuse()

    async def edit(self, address: Address, sent: str, post: Post) -> None:
        """Raise `Gone`."""
        self._refuse()

    async def send_file(self, address: Address, name: str, media_type: str, data: bytes) -> None:
        """Raise `Gone`."""
        self._refuse()

    async def send_picture(self, address: Address, picture: OutPicture) -> None:
        """Raise `Gone`."""
        self._refuse()

    async def fetch(
        self, address: Address, file: Attachment, into: Path, allowance: Allowance
    ) -> bool:
        """Raise `FileProblem`."""
        raise FileProblem(Reason.GONE)

    async def carry_on(self, message: Message) -> None:
        """Raise `Gone`."""
        self._refuse()

    async def complete(self, message: Message) -> Message:
        """Leave a message as it is."""
        return message

    async def earlier(self, message: Message) -> tuple[Message, ...]:
        """Tell of no earlier posts."""
        return ()

    def _refuse(self) -> NoReturn:
        raise Gone(f"{self.name} is not configured")
