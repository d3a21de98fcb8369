"""Messages that grow: by a stream where the platform has one, else by edits.

How a text is posted and edited depends on the platform, as a `MessageEditor`. When to do which, and
which failures to ignore, is the same everywhere.
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
    """How a platform posts texts and edits them.

    Each request has its own time limit and raises `DeliveryUnknown`, `ConversationGone`,
    `DeliveryRefused`.
    """

    def edits(self, address: Address) -> bool:
        """Return whether a message can be edited."""
        ...

    def streams(self, address: Address) -> bool:
        """Return whether the platform has streams there."""
        ...

    def behind(self, address: Address) -> float:
        """Return how many seconds an edit has to wait longer than a chunk of a stream."""
        ...

    async def say(self, address: Address, post: Post) -> str:
        """Post a message and return its id."""
        ...

    async def change(self, address: Address, message_id: str, post: Post, *, brief: bool) -> None:
        """Edit a message of ours; a `brief` edit is retried for a few seconds only."""
        ...

    async def hint(self, address: Address) -> None:
        """Show the typing indicator."""
        ...

    def lost(self, refusal: DeliveryRefused) -> bool:
        """Return whether a refused edit means that the message can never be edited."""
        ...


class GrowingMessages:
    """Posts and edits messages that grow."""

    def __init__(self, editor: MessageEditor, streams: Streams, clock: Clock | None = None) -> None:
        self._editor = editor
        self._streams = streams
        self._clock = clock or Clock()

    async def post(self, address: Address, post: Post) -> str:
        """Post a message and return its id, empty where only the typing indicator is shown.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.
        """
        if post.stage is not Stage.FINAL and not self._editor.edits(address):
            await self._hint(address)
            return ""
        opening = post.stage is Stage.OPENING and post.live
        if opening and self._editor.streams(address) and self._streams.free(address):
            try:
                return await self._streams.open(address, post)
            except (DeliveryRefused, ConversationGone) as error:
                log.info("no_stream", why=str(error))
        return await self._editor.say(address, post)

    async def edit(self, address: Address, message_id: str, post: Post) -> None:
        """Edit a message of ours; a failure is ignored unless the text is final.

        A final text whose message cannot be edited is posted as a new message. Raises
        `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`, `StoppedByUser`.
        """
        final = post.stage is Stage.FINAL
        if message_id in {"", NO_ID} or not self._editor.edits(address):
            if final:
                await self._editor.say(address, post)
        elif await self._streams.show(address, message_id, post):
            return
        elif final:
            await self._settle(address, message_id, post)
        elif self._streams.text(post):
            await self._update(address, message_id, post)

    async def _hint(self, address: Address) -> None:
        try:
            await self._editor.hint(address)
        except (DeliveryUnknown, DeliveryRefused) as error:
            log.info("typing_not_shown", why=str(error))

    async def _update(self, address: Address, message_id: str, post: Post) -> None:
        """Show the text so far; if that fails, the next edit carries it."""
        behind = self._editor.behind(address)
        if behind > 0:  # Edits come at the pace of streams, which is too fast for plain edits.
            await self._clock.sleep(behind)
        try:
            await self._editor.change(address, message_id, post, brief=True)
        except (DeliveryUnknown, DeliveryRefused) as error:
            log.info("edit_not_shown", why=str(error))

    async def _settle(self, address: Address, message_id: str, post: Post) -> None:
        """Show the final text in its message, or else in a new one."""
        try:
            await self._editor.change(address, message_id, post, brief=False)
        except DeliveryRefused as refusal:
            if not self._editor.lost(refusal):
                raise
            log.warning("posted_anew", why=str(refusal))
            await self._editor.say(address, post)
