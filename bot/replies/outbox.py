"""Numbered sends: each message of a reply is opened once, whatever crashes in between."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

import structlog

from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown, Stage
from bot.ports.mailbox import NO_ID, SendRecord

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from bot.domain.messages import Address
    from bot.ports.channel import Capabilities, Channel, PictureAttachment, Post
    from bot.ports.mailbox import Mailbox

TRIES = 10
"""Numbers per message of a reply: attempts to open it while one may have arrived."""
FRESH = 5.0
"""Seconds within which somebody else's intent may still become a send."""


log = structlog.get_logger()


class Outbox:
    """The sends of one run of messages, numbered `TRIES * part + try`.

    The intent is stored before a send and its id after. A text is opened by a short placeholder
    and filled by edits, which can be repeated; so when it is unclear whether an opening arrived,
    another is posted: a dangling placeholder is not an answer.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        channel: Channel,
        address: Address,
        mailbox_key: str,
        seq: int,
        token: str = "",
    ) -> None:
        self._mailbox = mailbox
        self._mailbox_key = mailbox_key
        self._seq = seq
        self._token = token
        self._numbers: dict[str, int] = {}
        self.channel = channel
        self.address = address

    @property
    def capabilities(self) -> Capabilities:
        """What the channel can do at this address."""
        return self.channel.capabilities(self.address)

    async def begun(self) -> bool:
        """Return whether anything was, or may have been, shown; raises `LeaseLost`."""
        return await self._settled(0) is not None

    async def open(self, part: int, post: Post) -> SendRecord:
        """Open message `part` of the reply, or find it opened.

        Raises `LeaseLost`, `ConversationGone`.
        """
        for number in range(TRIES * part, TRIES * part + TRIES):
            record = await self._settled(number)
            if record is None:
                record = await self._post(number, post)
            if record.id:
                self._numbers[record.id] = number
                return record
        raise DeliveryUnknown

    async def say(self, part: int, post: Post) -> None:
        """Post a text at once, without an opening; not twice, unless the process died meanwhile.

        Where a placeholder stands already, because the message had to wait, it becomes the text.
        """
        number = TRIES * part
        record = await self._settled(number)
        if record is None or not record.id:
            await self._post(number, post)
        elif record.id != NO_ID and not record.shown and self.capabilities.edits:
            await self.channel.edit(self.address, record.id, post)

    async def hand_over(self, part: int, name: str, media_type: str, data: bytes) -> None:
        """Hand over a file, once unless the process died while doing so."""
        await self._once(part, self.channel.send_file(self.address, name, media_type, data))

    async def show(self, part: int, picture: PictureAttachment) -> None:
        """Show a picture, once unless the process died while doing so; raises `DeliveryRefused`."""
        await self._once(part, self.channel.send_picture(self.address, picture))

    async def _once(self, part: int, sending: Coroutine[Any, Any, None]) -> None:
        number = TRIES * part
        with contextlib.closing(sending):
            record = await self._settled(number)
            if record is not None and record.id:
                return
            try:
                await sending
            except DeliveryUnknown:
                log.info("perhaps_shown", part=part)
            except (ConversationGone, DeliveryRefused):
                await self._mailbox.unclaim(self._mailbox_key, self._seq, number)
                raise
        await self._mailbox.record(self._mailbox_key, self._seq, number, SendRecord(NO_ID))

    async def remember(self, message_id: str, text: str) -> None:
        """Record the text of the answer before people see it, for a successor to go on from.

        Raises `LeaseLost`: then the message is the successor's, and nothing may be shown in it.
        """
        number = self._numbers[message_id]
        await self._mailbox.record(
            self._mailbox_key, self._seq, number, SendRecord(message_id, text), self._token
        )

    async def _settled(self, number: int) -> SendRecord | None:
        """Claim a number; the recent intent of another worker gets time to become a send."""
        record = await self._mailbox.claim(self._mailbox_key, self._seq, number, self._token)
        while record is not None and not record.id and time.time() - record.at < FRESH:
            await asyncio.sleep(0.1)
            record = await self._mailbox.claim(self._mailbox_key, self._seq, number, self._token)
        return record

    async def _post(self, number: int, post: Post) -> SendRecord:
        """Post and record; a post that may have arrived is repeated only if it is an opening."""
        final = post.stage is Stage.FINAL
        try:
            identity = await self.channel.post(self.address, post) or NO_ID
        except DeliveryUnknown:
            identity = NO_ID if final else ""
        except (ConversationGone, DeliveryRefused):
            await self._mailbox.unclaim(self._mailbox_key, self._seq, number)
            raise
        record = SendRecord(identity, post.text if final else "")
        await self._mailbox.record(self._mailbox_key, self._seq, number, record)
        return record
