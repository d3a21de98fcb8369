"""Tells people who wait how many are before them, and those who find no room."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog

from bot import texts
from bot.channel import Gone, Post, Stage, Unclear
from bot.commands import parse
from bot.mailbox import LeaseLost
from bot.problems import StoreDown
from bot.sends import Sends

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.channel import Channel
    from bot.mailbox import Mailbox, Receipt
    from bot.messages import Message
    from bot.settings import Limits

log = structlog.get_logger()


class Lobby:
    """Watches over accepted messages until their turn begins."""

    def __init__(self, mailbox: Mailbox, channels: Mapping[str, Channel], limits: Limits) -> None:
        self._mailbox = mailbox
        self._channels = channels
        self._limits = limits
        self._tasks: set[asyncio.Task[None]] = set()

    async def notice(self, message: Message, receipt: Receipt) -> None:
        """Look after a message that was received; returns at once."""
        waiting = message.kind == "message" and parse(message.text) is None
        if receipt.verdict == "accepted" and not waiting:
            return
        work = self._no_room(message) if receipt.verdict == "full" else self._wait(message, receipt)
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop watching."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _wait(self, message: Message, receipt: Receipt) -> None:
        await asyncio.sleep(self._limits.notice_seconds)
        channel = self._channels[message.thread.channel]
        if not channel.abilities(message.address).edits:
            return
        with contextlib.suppress(LeaseLost, Gone, Unclear, StoreDown):
            before = await self._mailbox.ahead(message, receipt.seq)
            if before is None:
                return
            sends = Sends(self._mailbox, channel, message.address, message.thread.key, receipt.seq)
            await sends.open(0, Post(texts.waiting(before), Stage.OPENING))

    async def _no_room(self, message: Message) -> None:
        log.warning("mailbox_full", thread=message.thread.key[:8])
        channel = self._channels[message.thread.channel]
        with contextlib.suppress(Gone, Unclear):
            await channel.post(message.address, Post(texts.FULL))
