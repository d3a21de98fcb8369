"""The declaration of a command: its specification, and the handler that executes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bot import strings as texts
from bot.commands.preferences import Preferences
from bot.domain.commands import Command, CommandSpec
from bot.ports.channel import Button, Capabilities
from bot.ports.history import History
from bot.ports.mailbox import Entry, Erase

if TYPE_CHECKING:
    from bot.domain.messages import Message
    from bot.domain.threads import Place, Thread


class StoredFiles(Protocol):
    """What erases the files of threads, as `bot.attachments.store.AttachmentStore` does."""

    async def forget(self, thread: Thread, before: float) -> None:
        """Erase the files of a thread that were stored before a time, since the epoch."""
        ...

    async def erase(self, thread: Thread, digests: Collection[str]) -> None:
        """Erase some files of a thread, by their SHA-256."""
        ...


@dataclass(frozen=True, slots=True)
class CommandReply:
    """The answer to a command.

    `texts` are posted in order, with `buttons` under the last; `file` is handed over where the
    channel takes files; `erase` is carried out after all of it is posted.
    """

    texts: tuple[str, ...]
    buttons: tuple[Button, ...] = ()
    file: bytes = field(default=b"", repr=False)
    erase: Erase = "nothing"


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command with its circumstances: who gave it where and when, what can be done there.

    `now` is in seconds since the epoch.
    """

    command: Command
    entry: Entry
    capabilities: Capabilities
    now: float

    @property
    def message(self) -> Message:
        """The message that it was given in."""
        return self.entry.message

    @property
    def argument(self) -> str:
        """What follows the command's name; empty for nothing."""
        return self.command.argument

    @property
    def thread(self) -> Thread:
        """The thread it was given in."""
        return self.entry.message.thread

    @property
    def identity(self) -> str:
        """What distinguishes it from every other command that was given."""
        return f"{self.thread.key}:{self.entry.seq}"

    @property
    def where(self) -> Thread | Place:
        """What a setting acts on: the place at the top of a channel, else the thread."""
        top = bool(self.thread.root) and self.message.opening
        return self.thread.place if top else self.thread

    @property
    def scope(self) -> str:
        """What a setting acts on, in words."""
        return self.scope_of(self.where)

    def scope_of(self, where: Thread | Place) -> str:
        """Return a scope in words; where several people write, the place is a channel to them."""
        if not self.thread.root:
            return texts.IN_THIS_CHAT
        if where == self.thread:
            return texts.IN_THIS_THREAD
        return texts.IN_THIS_CHANNEL if self.message.shared else texts.IN_THIS_CHAT

    def spelled(self, text: str) -> str:
        """Write the commands in a sentence as people have to write them here."""
        return texts.with_prefix(text, self.capabilities.prefix)


@dataclass(frozen=True, slots=True)
class CommandServices:
    """What handlers work with; `specs` are all commands, in the order of the help."""

    history: History
    preferences: Preferences
    attachments: StoredFiles
    specs: tuple[CommandSpec, ...]


Handler = Callable[[CommandRequest, CommandServices], Awaitable[CommandReply]]
"""Carries out a command whose argument is valid, and returns the answer."""


@dataclass(frozen=True, slots=True)
class CommandDeclaration:
    """Everything about a command: the rest of Loupe derives from it what it needs to know."""

    spec: CommandSpec
    handler: Handler
