"""The inbox: which posts are accepted, and in which order they wait."""

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
"""Called with every message that waits for its turn."""


class Inbox:
    """Accepts messages durably, before they are acknowledged to the platform."""

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
        """Accept a message, or drop it if it is not for Loupe; raises `StoreDown`.

        Returns whether it is accepted.
        """
        message = self._bounded(message)
        command = self._grammar.parse(message.text) if message.kind == "message" else None
        if not message.addressed:
            own_message = await self._for_loupe(message, command)
            if own_message is None:
                log.info("not_for_loupe", thread=message.thread.key[:8])
                return False
            message = own_message
        submission = _submission(message, command)
        receipt = await self._mailbox.accept(submission)
        log.info("received", verdict=receipt.verdict, thread=message.thread.key[:8])
        if receipt.verdict == "full":
            log.warning("mailbox_full", thread=message.thread.key[:8])
            full = replace(message, kind="full", text="", attachments=())
            await self._mailbox.accept(_submission(full, None))
        elif receipt.verdict == "accepted" and message.kind == "message" and _waits(submission):
            await self._notice(message, receipt)
        return True

    async def _for_loupe(self, message: Message, command: Command | None) -> Message | None:
        """Return the part of a post without a mention that is for Loupe; None if there is none.

        That is a command, or a post in a watched place. An unknown command may be meant for another
        bot. Files that the platform does not give to apps are answered once a day.
        """
        if command is not None and not command.unknown:
            return message
        place = message.thread.place
        watch = (await self._history.settings(place)).watch or "off"
        has_words = watch == "all" and bool(message.text)
        if watch == "off" or not (has_words or message.attachments):
            return None
        if not message.unreadable or await self._history.once_a_day("html-only", place):
            return message
        return replace(message, attachments=()) if has_words else None

    def _bounded(self, message: Message) -> Message:
        """Bound the text, and replace lone surrogates, which no UTF-8 can hold."""
        text, most = message.text, self._limits.max_question
        valid = text[:most].encode("utf-8", "replace").decode("utf-8")
        return replace(message, text=valid, shortened=len(text) > most)


def _waits(submission: Submission) -> bool:
    """Return whether a message has a turn to wait for."""
    return not submission.express and not submission.stops


def _submission(message: Message, command: Command | None) -> Submission:
    if command is not None:
        # An edit has to come after the post that it takes back, like a deletion, unless it stops.
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
    return Submission(message, gathers=message.without_words)
