"""Messages that grow: by a stream where the platform has one, else by edits of what was posted.

How a text is posted and changed is the platform's, a `MessageEditor`; which of the two is done
when, and what is given up where it cannot be shown, is the same everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import structlog

from bot.clock import Clock
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown, Stage
from bot.ports.mailbox import NO_ID

if TYPE_CHECKING:
    from adapters.chat.streaming import Streams
    from bot.domain.messages import Address
    from bot.ports.channel import Post

log = structlog.get_logger()


class MessageEditor(Protocol):
    """How a platform posts texts and changes them.

    Each request bounds its own time and raises `DeliveryUnknown`, `ConversationGone`,
    `DeliveryRefused`.
    """

    def edits(self, address: Address) -> bool:
        """Tell whether a sent text can be changed."""
        ...

    def streams(self, address: Address) -> bool:
        """Tell whether the platform has streams there."""
        ...

    def behind(self, address: Address) -> float:
        """Tell how many seconds a plain edit waits more than a chunk of a stream."""
        ...

    async def say(self, address: Address, post: Post) -> str:
        """Show a new message and return its id."""
        ...

    async def change(self, address: Address, sent: str, post: Post, *, brief: bool) -> None:
        """Change a message of ours, with less patience when `brief`."""
        ...

    async def hint(self, address: Address) -> None:
        """Show the sign that something is being written."""
        ...

    def lost(self, refusal: DeliveryRefused) -> bool:
        """Tell whether a refused edit means that the message can never be edited."""
        ...


class GrowingMessages:
    """Posts and edits of messages that grow."""

    def __init__(self, paper: MessageEditor, streams: Streams, clock: Clock | None = None) -> None:
        self._paper = paper
        self._streams = streams
        self._clock = clock or Clock()

    async def post(self, address: Address, post: Post) -> str:
        """Show a new message and return its id, empty where only typing is shown.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.
        """
        if post.stage is not Stage.FINAL and not self._paper.edits(address):
            await self._hint(address)
            return ""
        opening = post.stage is Stage.OPENING and post.live
        if opening and self._paper.streams(address) and self._streams.free(address):
            try:
                return await self._streams.open(address, post)
            except (DeliveryRefused, ConversationGone) as error:
                log.info("no_stream", why=str(error))
        return await self._paper.say(address, post)

    async def edit(self, address: Address, sent: str, post: Post) -> None:
        """Change a message of ours; what is not final is given up where it cannot be shown.

        A final text whose message cannot be edited is posted anew. Raises `DeliveryUnknown`,
        `ConversationGone`, `DeliveryRefused`, `StoppedByUser`.
        """
        final = post.stage is Stage.FINAL
        if sent in {"", NO_ID} or not self._paper.edits(address):
            if final:
                await self._paper.say(address, post)
        elif await self._streams.show(address, sent, post):
            return
        elif final:
            await self._settle(address, sent, post)
        elif self._streams.text(post):
            await self._update(address, sent, post)

    async def _hint(self, address: Address) -> None:
        try:
            await self._paper.hint(address)
        except (DeliveryUnknown, DeliveryRefused) as error:
            log.info("typing_not_shown", why=str(error))

    async def _update(self, address: Address, sent: str, post: Post) -> None:
        """Show how far a text has come; what is lost is carried by the next edit."""
        behind = self._paper.behind(address)
        if behind > 0:  # edits come at the pace of streams, for which this message is too late
            await self._clock.sleep(behind)
        try:
            await self._paper.change(address, sent, post, brief=True)
        except (DeliveryUnknown, DeliveryRefused) as error:
            log.info("edit_not_shown", why=str(error))

    async def _settle(self, address: Address, sent: str, post: Post) -> None:
        """Show the final text in its message, else in a new one."""
        try:
            await self._paper.change(address, sent, post, brief=False)
        except DeliveryRefused as refusal:
            if not self._paper.lost(refusal):
                raise
            log.warning("posted_anew", why=str(refusal))
            await self._paper.say(address, post)
