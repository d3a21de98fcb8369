"""The front door: what is kept of what people post, and in which order it waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from bot.ports.mailbox import Submission

if TYPE_CHECKING:
    from bot.domain.command_grammar import CommandGrammar
    from bot.domain.commands import Command
    from bot.domain.messages import Message
    from bot.limits import MessageLimits
    from bot.ports.history import History
    from bot.ports.mailbox import Mailbox, Receipt

log = structlog.get_logger()

Notice = Callable[["Message", "Receipt"], Awaitable[None]]
"""Told of every message that waits for its turn."""


class Inbox:
    """Accepts messages durably, before the platform is told that they arrived."""

    def __init__(
        self,
        mailbox: Mailbox,
        history: History,
        grammar: CommandGrammar,
        notice: Notice,
        limits: MessageLimits,
    ) -> None:
        self._mailbox = mailbox
        self._history = history
        self._grammar = grammar
        self._notice = notice
        self._limits = limits

    async def receive(self, message: Message) -> bool:
        """Accept a message, or drop it unread when nobody asked Loupe; raises `StoreDown`.

        Returns whether it is kept.
        """
        message = self._bounded(message)
        command = self._grammar.parse(message.text) if message.kind == "message" else None
        if not message.addressed:
            wanted = await self._wanted(message, command)
            if wanted is None:
                log.info("not_for_loupe", thread=message.thread.key[:8])
                return False
            message = wanted
        letter = _letter(message, command)
        receipt = await self._mailbox.accept(letter)
        log.info("received", verdict=receipt.verdict, thread=message.thread.key[:8])
        if receipt.verdict == "full":
            log.warning("mailbox_full", thread=message.thread.key[:8])
            full = replace(message, kind="full", text="", attachments=())
            await self._mailbox.accept(_letter(full, None))
        elif receipt.verdict == "accepted" and message.kind == "message" and _waits(letter):
            await self._notice(message, receipt)
        return True

    async def _wanted(self, message: Message, command: Command | None) -> Message | None:
        """Take what is for Loupe of an un-addressed post: a command, or one in a watched place.

        A word that is no command may be meant for another bot. Of files that the platform keeps
        from apps a place is told once a day.
        """
        if command is not None and not command.unknown:
            return message
        place = message.thread.place
        watch = (await self._history.settings(place)).watch or "off"
        worded = watch == "all" and bool(message.text)
        if watch == "off" or not (worded or message.attachments):
            return None
        if not message.unreadable or await self._history.once_a_day("html-only", place):
            return message
        return replace(message, attachments=()) if worded else None

    def _bounded(self, message: Message) -> Message:
        """Bound the text, and replace lone surrogates, which no UTF-8 can hold."""
        text, most = message.text, self._limits.max_question
        valid = text[:most].encode("utf-8", "replace").decode("utf-8")
        return replace(message, text=valid, shortened=len(text) > most)


def _waits(letter: Submission) -> bool:
    """Tell whether a message has a turn to wait for."""
    return not letter.express and not letter.stops


def _letter(message: Message, command: Command | None) -> Submission:
    if command is not None:
        # Unless it stops, an edit has to come after what it takes back, as a deletion has to.
        overtakes = command.reads and not message.withdraws
        ends_at_once = command.stops and not command.erases
        return Submission(
            message,
            express=overtakes or ends_at_once,
            stops=command.stops,
            joins=False,
        )
    if message.kind == "deleted":
        return Submission(message, joins=False)
    if message.kind == "uninstalled":  # Last, so that nothing is kept after it has erased all.
        return Submission(message, stops=True, joins=False)
    if message.kind != "message":
        return Submission(message, express=True, joins=False)
    return Submission(message, gathers=message.alone)
