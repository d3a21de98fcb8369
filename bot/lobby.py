"""Tells people who wait how many messages are before theirs."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from bot import texts
from bot.channel import Gone, Post, Refused, Stage, Unclear
from bot.mailbox import LeaseLost
from bot.problems import StoreDown
from bot.sends import Sends
from bot.tasks import end

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.channel import Channel
    from bot.mailbox import Mailbox, Receipt
    from bot.messages import Message
    from bot.settings import Limits


class Lobby:
    """Watches over accepted messages until their turn begins."""

    def __init__(self, mailbox: Mailbox, channels: Mapping[str, Channel], limits: Limits) -> None:
        self._mailbox = mailbox
        self._channels = channels
        self._limits = limits
        self._tasks: set[asyncio.Task[None]] = set()

    async def notice(self, message: Message, receipt: Receipt) -> None:
        """Look after a message that was accepted; returns at once."""
        task = asyncio.create_task(self._wait(message, receipt))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop watching."""
        await end(*self._tasks)

    async def _wait(self, message: Message, receipt: Receipt) -> None:
        await asyncio.sleep(self._limits.notice_seconds)
        channel = self._channels[message.thread.channel]
        if not channel.abilities(message.address).edits:
            return
        with contextlib.suppress(LeaseLost, Gone, Refused, Unclear, StoreDown):
            before = await self._mailbox.ahead(message, receipt.seq)
            if before is None:
                return
            sends = Sends(self._mailbox, channel, message.address, message.thread.key, receipt.seq)
            await sends.open(0, Post(texts.waiting(before), Stage.OPENING))
