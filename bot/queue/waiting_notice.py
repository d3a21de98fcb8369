"""Tells people who wait how many messages are ahead of theirs."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from bot import strings as texts
from bot.aio import end
from bot.errors import StoreDown
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown, Post, Stage
from bot.ports.mailbox import LeaseLost
from bot.replies.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.domain.messages import Message
    from bot.limits import MessageLimits
    from bot.ports.channel import Channel
    from bot.ports.mailbox import Mailbox, Receipt


class WaitingNotices:
    """Posts how many messages are ahead of one that has waited for a while."""

    def __init__(
        self, mailbox: Mailbox, channels: Mapping[str, Channel], limits: MessageLimits
    ) -> None:
        self._mailbox = mailbox
        self._channels = channels
        self._limits = limits
        self._tasks: set[asyncio.Task[None]] = set()

    async def notice(self, message: Message, receipt: Receipt) -> None:
        """Watch a message that was accepted; returns at once."""
        task = asyncio.create_task(self._wait(message, receipt))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop watching."""
        await end(*self._tasks)

    async def _wait(self, message: Message, receipt: Receipt) -> None:
        await asyncio.sleep(self._limits.notice_seconds)
        channel = self._channels[message.thread.channel]
        if not channel.capabilities(message.address).edits:
            return
        with contextlib.suppress(
            LeaseLost, ConversationGone, DeliveryRefused, DeliveryUnknown, StoreDown
        ):
            before = await self._mailbox.count_ahead(message, receipt.seq)
            if before is None:
                return
            sends = Outbox(self._mailbox, channel, message.address, message.thread.key, receipt.seq)
            await sends.open(0, Post(texts.waiting_notice(before), Stage.OPENING))
