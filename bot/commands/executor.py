"""Carries out commands as they are declared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot import strings as texts
from bot.commands.declaration import CommandReply, CommandServices
from bot.domain.command_grammar import CommandGrammar
from bot.text.split import split

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from bot.commands.declaration import CommandDeclaration, CommandRequest, StoredFiles
    from bot.commands.preferences import Preferences
    from bot.domain.threads import Thread
    from bot.ports.history import History


class CommandExecutor:
    """Carries out commands; `grammar` reads messages as such."""

    def __init__(
        self,
        history: History,
        preferences: Preferences,
        attachments: StoredFiles,
        commands: Sequence[CommandDeclaration],
    ) -> None:
        self.grammar = CommandGrammar([command.spec for command in commands])
        self._handlers = {command.spec.name: command.handler for command in commands}
        self._services = CommandServices(history, preferences, attachments, self.grammar.specs)

    async def execute(self, request: CommandRequest) -> CommandReply:
        """Carry out a command, and return the answer in messages that fit the channel."""
        command = request.command
        if not command.valid:
            return CommandReply((request.spelled(texts.command_misused(command)),))
        if command.spec.shared_only and not request.message.shared:
            return CommandReply((request.spelled(command.spec.shared_only),))
        reply = await self._handlers[command.name](request, self._services)
        return replace(reply, texts=tuple(_within(request.capabilities.text_limit, reply.texts)))

    async def erase_files(self, thread: Thread, digests: Collection[str]) -> None:
        """Erase files that nothing names any more."""
        await self._services.attachments.erase(thread, digests)

    async def erase_place(self, thread: Thread) -> None:
        """Erase the files of a thread and the settings of its place, as Loupe was uninstalled."""
        await self._services.attachments.forget(thread, float("inf"))
        await self._services.history.clear(thread.place)


def _within(limit: int, messages: Iterable[str]) -> Iterator[str]:
    """Cut what is too long for one message."""
    for text in messages:
        yield from [text] if len(text) <= limit else split(text, limit)
