"""Carries out a command that a lease holds, and posts its reply."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import structlog

from bot import strings as texts
from bot.commands.declaration import CommandReply, CommandRequest
from bot.ports.channel import ConversationGone, DeliveryRefused, Post
from bot.turn.deliveries import FileEraser

if TYPE_CHECKING:
    from bot.domain.command_grammar import CommandGrammar
    from bot.domain.commands import Command
    from bot.domain.messages import Message
    from bot.domain.threads import Thread
    from bot.limits import MessageLimits
    from bot.queue.holding import Holding
    from bot.replies.outbox import Outbox
    from bot.turn.deliveries import Deliveries

log = structlog.get_logger()


class Commands(FileEraser, Protocol):
    """What carries out commands, as `bot.commands.executor.CommandExecutor` does."""

    @property
    def grammar(self) -> CommandGrammar:
        """What reads messages as commands."""
        ...

    async def execute(self, request: CommandRequest) -> CommandReply:
        """Carry out a command, and return the answer in messages that fit the channel."""
        ...

    async def erase_place(self, thread: Thread) -> None:
        """Erase the files of a thread and the settings of its place."""
        ...


class CommandDelivery:
    """Carries out commands in their turn."""

    def __init__(self, commands: Commands, deliveries: Deliveries, limits: MessageLimits) -> None:
        self._commands = commands
        self._deliveries = deliveries
        self._limits = limits

    async def execute(self, holding: Holding, message: Message, command: Command) -> None:
        """Carry out a command, unless it was stopped or cut, and end the lease."""
        lease = holding.lease
        if holding.stop.is_set():
            await self._deliveries.post(lease, message, texts.STOPPED_EARLY)
            return
        if message.shortened and command.argument:
            await self._deliveries.post(lease, message, texts.command_too_long(self._limits))
            return
        if message.version:
            await self._deliveries.retract(lease, message.id)
        outbox = self._deliveries.outbox(lease, message)
        request = await self._request(holding, message, command, outbox)
        reply = await self._commands.execute(request)
        await self._post_reply(outbox, request, reply)
        await self._deliveries.complete(lease, erase=reply.erase)

    async def _request(
        self, holding: Holding, message: Message, command: Command, outbox: Outbox
    ) -> CommandRequest:
        """Return the command as it stands in the whole message."""
        whole = await outbox.channel.add_details(message)
        entry = replace(holding.lease.run[0], message=whole)
        command = self._commands.grammar.parse(whole.text) or command
        return CommandRequest(command, entry, outbox.capabilities, time.time())

    async def _post_reply(
        self, outbox: Outbox, request: CommandRequest, reply: CommandReply
    ) -> None:
        try:
            await self._post_texts(outbox, reply)
            if reply.file and not await self._send_file(outbox, reply):
                await self._post_without_file(outbox, request, len(reply.texts) + 1)
        except (ConversationGone, DeliveryRefused) as error:
            # What is to be erased is erased, even where the receipt cannot be shown.
            if reply.erase == "nothing":
                raise
            log.warning("receipt_not_shown", error=type(error).__name__)

    async def _post_texts(self, outbox: Outbox, reply: CommandReply, first: int = 0) -> None:
        for index, text in enumerate(reply.texts):
            last = index == len(reply.texts) - 1
            await outbox.say(first + index, Post(text, buttons=reply.buttons if last else ()))

    async def _post_without_file(self, outbox: Outbox, request: CommandRequest, first: int) -> None:
        """Post in messages what was meant to be a file."""
        without_files = replace(request, capabilities=replace(request.capabilities, files=False))
        reply = await self._commands.execute(without_files)
        reply = replace(reply, texts=(texts.NO_FILE_HERE, *reply.texts))
        await self._post_texts(outbox, reply, first)

    async def _send_file(self, outbox: Outbox, reply: CommandReply) -> bool:
        """Send the transcript as a file; return false where the platform does not take it."""
        part = len(reply.texts)
        try:
            await outbox.hand_over(part, "transcript.json", "application/json", reply.file)
        except DeliveryRefused as error:
            log.warning("file_not_handed_over", why=str(error))
            return False
        return True
