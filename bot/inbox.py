"""The front door: what is kept of what people post, and in which order it waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from bot.commands import Command, parse
from bot.mailbox import Letter
from bot.problems import Reason

if TYPE_CHECKING:
    from bot.history import History
    from bot.mailbox import Mailbox, Receipt
    from bot.messages import Message

log = structlog.get_logger()

Notice = Callable[["Message", "Receipt"], Awaitable[None]]
"""Told of every message that was accepted or found no room."""


class Inbox:
    """Accepts messages durably, before the platform is told that they arrived."""

    def __init__(self, mailbox: Mailbox, history: History, notice: Notice) -> None:
        self._mailbox = mailbox
        self._history = history
        self._notice = notice

    async def receive(self, message: Message) -> None:
        """Accept a message, or drop it unread when nobody asked Loupe; raises `StoreDown`."""
        message = replace(message, text=_valid(message.text))
        command = parse(message.text) if message.kind == "message" else None
        if not message.addressed and not await self._wanted(message, command):
            return
        receipt = await self._mailbox.accept(_letter(message, command))
        log.info("received", verdict=receipt.verdict, thread=message.thread.key[:8])
        if receipt.verdict != "duplicate":
            await self._notice(message, receipt)

    async def _wanted(self, message: Message, command: Command | None) -> bool:
        """Tell whether an un-addressed post is for Loupe: a command, or in a watched place."""
        if command is not None and command.valid:
            return True
        settings = await self._history.settings(message.thread.place)
        watch = settings.get("watch", "off")
        if watch == "all":
            return True
        if watch == "off" or not message.attachments:
            return False
        if all(file.problem is Reason.HTML_ONLY for file in message.attachments):
            return await self._history.once_a_day("html-only", message.thread.place)
        return True


def _letter(message: Message, command: Command | None) -> Letter:
    if command is not None:
        return Letter(
            message,
            express=command.express or command.name == "stop",
            stops=command.stops,
            joins=False,
        )
    if message.kind != "message":
        return Letter(message, express=True, joins=False)
    return Letter(message, gathers=message.alone)


def _valid(text: str) -> str:
    """Replace lone surrogates, which no UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
