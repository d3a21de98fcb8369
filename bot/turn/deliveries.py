"""What every lease needs: an outbox for its replies, and its end in the mailbox."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from bot import strings as texts
from bot.ports.channel import Post
from bot.ports.mailbox import LeaseLost
from bot.replies.outbox import Outbox
from bot.replies.streaming import Reply

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bot.clock import Clock
    from bot.domain.messages import Message
    from bot.domain.threads import Thread
    from bot.ports.channel import Channel
    from bot.ports.mailbox import AnsweredTurn, Erase, Lease, Mailbox


class FileEraser(Protocol):
    """What erases files, as `bot.commands.executor.CommandExecutor` does."""

    async def erase_files(self, thread: Thread, digests: Collection[str]) -> None:
        """Erase files that nothing names any more."""
        ...


class Deliveries:
    """Posts short replies, and ends leases."""

    def __init__(
        self,
        mailbox: Mailbox,
        channels: Mapping[str, Channel],
        files: FileEraser,
        clock: Clock,
    ) -> None:
        self._mailbox = mailbox
        self._channels = channels
        self._files = files
        self._clock = clock

    def outbox(self, lease: Lease, message: Message) -> Outbox:
        """Return the outbox of the replies to a message."""
        channel = self._channels[message.thread.channel]
        return Outbox(
            self._mailbox, channel, message.address, lease.mailbox_key, lease.seq, lease.token
        )

    def reply(self, outbox: Outbox, stop: asyncio.Event) -> Reply:
        """Return a reply that grows; `stop` is set when the user stops it."""
        return Reply(outbox, outbox.capabilities, stop, self._clock)

    async def complete(
        self, lease: Lease, result: AnsweredTurn | None = None, *, erase: Erase = "nothing"
    ) -> None:
        """Commit what came of a lease, and end it; raises `LeaseLost`."""
        if not await self._mailbox.complete(lease, result, erase=erase):
            raise LeaseLost

    async def retract(self, lease: Lease, post: str) -> None:
        """Forget what a post asked and brought, as it was deleted or is asked anew."""
        digests = await self._mailbox.retract(lease, post)
        await self._files.erase_files(lease.run[0].message.thread, digests)

    async def post(self, lease: Lease, message: Message, text: str) -> None:
        """Reply to a message with one text, and end the lease."""
        outbox = self.outbox(lease, message)
        await outbox.say(0, Post(texts.with_prefix(text, outbox.capabilities.prefix)))
        await self.complete(lease)

    async def end_reply(
        self, lease: Lease, message: Message, alone: str, below: str, *, is_stopped: bool = False
    ) -> Reply:
        """End the reply to a message with a sentence: `below` an answer that stands, or `alone`."""
        outbox = self.outbox(lease, message)
        reply = self.reply(outbox, asyncio.Event())
        try:
            await reply.open(alone, live=False)
            parts = reply.ended(alone, below)
            last = Post(parts[-1], is_generated=bool(reply.earlier_text), is_stopped=is_stopped)
            await reply.finish(parts, last)
        finally:
            await reply.close()
        return reply
