"""What each command does; sentences are in `bot.strings`, the grammar in `bot.domain.commands`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from bot import strings as texts
from bot.commands import transcript
from bot.domain.commands import Command
from bot.domain.history import Usage
from bot.domain.preferences import PendingSystemMessage
from bot.ports.channel import Button, Capabilities
from bot.ports.mailbox import Entry, Erase
from bot.text.split import split

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator

    from bot.attachments.store import AttachmentStore
    from bot.commands.preferences import Preferences
    from bot.domain.history import ThreadHistory
    from bot.domain.messages import Message
    from bot.domain.preferences import Watch
    from bot.domain.threads import Place, Thread
    from bot.ports.history import History

CONFIRM_WITHIN = 600.0
"""Seconds that a new system message waits for its author's Continue (ten minutes)."""


SHORT_CUTS = (
    Button(texts.SHOW_PHOTOS, "/photos"),
    Button(texts.SHOW_TRANSCRIPT, "/json"),
    Button(texts.SHOW_USAGE, "/usage"),
    Button(texts.END_ANSWER, "/stop"),
)
"""What can be pressed below the help where the platform takes `/` for its own."""


@dataclass(frozen=True, slots=True)
class CommandReply:
    """The answer to a command.

    `texts` are posted in order, with `buttons` under the last; `file` is handed over where the
    channel takes files; `erase` is carried out when all is said.
    """

    texts: tuple[str, ...]
    buttons: tuple[Button, ...] = ()
    file: bytes = field(default=b"", repr=False)
    erase: Erase = "nothing"


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command with its circumstances: who gave it where and when, what can be done there."""

    command: Command
    entry: Entry
    abilities: Capabilities
    now: float

    @property
    def thread(self) -> Thread:
        """The thread it was given in."""
        return self.entry.message.thread

    @property
    def identity(self) -> str:
        """Tells it from every other order."""
        return f"{self.thread.key}:{self.entry.seq}"

    @property
    def where(self) -> Thread | Place:
        """What a setting acts on: the place at the top of a channel, else the thread."""
        message = self.entry.message
        top = bool(message.thread.root) and message.opening
        return message.thread.place if top else message.thread

    def spelled(self, text: str) -> str:
        """Write the commands in a sentence as people have to write them here."""
        return texts.spelled(text, self.abilities.prefix)

    @property
    def scope(self) -> str:
        """Where it acts, in words."""
        message = self.entry.message
        return _scope(message, place=message.opening)


class CommandHandlers:
    """Executes commands; each is one method of its name."""

    def __init__(
        self, history: History, preferences: Preferences, gallery: AttachmentStore
    ) -> None:
        self._history = history
        self._preferences = preferences
        self._gallery = gallery

    async def obey(self, order: CommandRequest) -> CommandReply:
        """Do what a command says, and tell what to answer."""
        if not order.command.valid:
            return CommandReply((order.spelled(texts.command_misused(order.command)),))
        act: Callable[[CommandRequest], Awaitable[CommandReply]] = getattr(
            self, f"_{order.command.name}"
        )
        said = await act(order)
        return replace(said, texts=tuple(_within(order.abilities.text_limit, said.texts)))

    async def _help(self, order: CommandRequest) -> CommandReply:
        prefix = order.abilities.prefix
        told = texts.help_text(prefix, offline=self._preferences.deployment.offline)
        return CommandReply((told,), SHORT_CUTS if prefix == "!" else ())

    async def _json(self, order: CommandRequest) -> CommandReply:
        past = await self._history.past(order.thread)
        force = await self._preferences.of(order.thread)
        return await asyncio.to_thread(_transcript, order, force.system, past)

    async def _system(self, order: CommandRequest) -> CommandReply:
        argument = order.command.argument
        if not argument:
            force = await self._preferences.of(order.thread)
            return CommandReply((texts.system_shown(force),))
        if argument == "continue":
            return await self._system_continue(order)
        if argument == "cancel":
            return await self._system_cancel(order)
        if argument == "reset":
            return await self._system_reset(order)
        return await self._system_propose(order)

    async def _system_propose(self, order: CommandRequest) -> CommandReply:
        force = await self._preferences.of(order.thread)
        author, text = order.entry.message.author.id, order.command.argument
        pending = PendingSystemMessage(author, text, expires=order.now + CONFIRM_WITHIN)
        await self._history.change(order.where, pending=pending)
        buttons = (
            Button(texts.CONTINUE, "/system continue"),
            Button(texts.CANCEL, "/system cancel"),
        )
        question = texts.system_confirm(force.system, text, order.scope)
        return CommandReply((order.spelled(question),), buttons)

    async def _settle(self, order: CommandRequest) -> tuple[Thread | Place, str] | None:
        """Find the author's proposal in the thread or for its place; drop it when it expired.

        The proposal then counts as settled by this command, and is found once more only by the
        same command when it is executed again after a crash.
        """
        for where in (order.where, order.thread, order.thread.place):
            pending = (await self._history.settings(where)).pending
            if pending is None:
                continue
            if pending.expires < order.now:
                await self._history.change(where, pending=None)
            elif _may_settle(pending, order):
                settled = replace(pending, settled_by=order.identity)
                await self._history.change(where, pending=settled)
                return where, pending.text
        return None

    async def _system_continue(self, order: CommandRequest) -> CommandReply:
        proposal = await self._settle(order)
        if proposal is None:
            return CommandReply((order.spelled(texts.NOTHING_PENDING),))
        where, text = proposal
        await self._history.change(where, system=text)
        return CommandReply((texts.system_changed(_scope_of(where, order)),))

    async def _system_cancel(self, order: CommandRequest) -> CommandReply:
        pending = await self._settle(order)
        told = texts.NOTHING_PENDING if pending is None else texts.SYSTEM_KEPT
        return CommandReply((order.spelled(told),))

    async def _system_reset(self, order: CommandRequest) -> CommandReply:
        await self._history.change(order.where, system=None, pending=None)
        force = await self._preferences.of(order.thread)
        return CommandReply((texts.system_reset(force, order.scope),))

    async def _vision(self, order: CommandRequest) -> CommandReply:
        if not order.command.argument:
            force = await self._preferences.of(order.thread)
            return CommandReply((texts.vision_shown(force.vision),))
        on = order.command.argument == "on"
        await self._history.change(order.where, vision=on)
        return CommandReply((texts.vision_set(on, order.scope),))

    async def _model(self, order: CommandRequest) -> CommandReply:
        deployment = self._preferences.deployment
        name = order.command.argument
        if not name:
            force = await self._preferences.of(order.thread)
            return CommandReply((order.spelled(texts.models_shown(force.model, deployment)),))
        known = {model.casefold(): model for model in deployment.models}
        chosen = known.get(name.casefold())
        if chosen is None:
            return CommandReply((texts.model_unknown(name, deployment.models),))
        await self._history.change(order.where, model=chosen)
        return CommandReply((texts.model_set(chosen, order.scope),))

    async def _stop(self, order: CommandRequest) -> CommandReply:
        return CommandReply((texts.STOPPING if order.entry.before else texts.NOTHING_TO_STOP,))

    async def _reset(self, order: CommandRequest) -> CommandReply:
        past = await self._history.past(order.thread)
        await self._gallery.forget(order.thread, order.entry.at)
        return CommandReply((texts.history_reset(len(_told(past))),), erase="history")

    async def _forget(self, order: CommandRequest) -> CommandReply:
        past = await self._history.past(order.thread)
        settings = await self._history.settings(order.thread)
        await self._gallery.forget(order.thread, order.entry.at)
        files = len(past.photos), len(past.videos)
        receipt = texts.forgotten(len(_told(past)), *files, settings.count)
        return CommandReply((receipt,), erase="everything")

    async def retracted(self, thread: Thread, digests: Collection[str]) -> None:
        """Erase files that nothing names any more."""
        await self._gallery.erase(thread, digests)

    async def uninstalled(self, thread: Thread) -> None:
        """Erase the pictures of a thread, and the settings of its place."""
        await self._gallery.forget(thread, float("inf"))
        await self._history.clear(thread.place)

    async def _photos(self, order: CommandRequest) -> CommandReply:
        past = await self._history.past(order.thread)
        return CommandReply((texts.photo_log(past.photos, past.videos),))

    async def _watch(self, order: CommandRequest) -> CommandReply:
        message = order.entry.message
        if not message.shared:
            return CommandReply((order.spelled(texts.WATCH_NEEDS_CHANNEL),))
        place = message.thread.place
        if not order.command.argument:
            current = (await self._history.settings(place)).watch or "off"
            return CommandReply((order.spelled(texts.watch_shown(current)),))
        mode = cast("Watch", order.command.argument)
        await self._history.change(place, watch=mode, hint_message=None)
        return CommandReply((texts.watch_set(mode, message.author.name),))

    async def _usage(self, order: CommandRequest) -> CommandReply:
        past = await self._history.past(order.thread)
        return CommandReply((texts.usage_shown(_by_model(past)),))


def _transcript(order: CommandRequest, system: str, past: ThreadHistory) -> CommandReply:
    """Write the transcript as messages, or as a file where it is too long for one."""
    shown: Any
    blocks: Callable[[Any, int], list[str]]
    if order.command.argument == "full":
        shown, blocks = transcript.full(order.thread, system, past), transcript.full_blocks
    else:
        shown, blocks = transcript.transcript(system, past), transcript.blocks
    limit, files = order.abilities.text_limit, order.abilities.files
    too_long = files and transcript.exceeds(shown, limit)
    written = [] if too_long else blocks(shown, limit)
    if files and len(written) != 1:
        return CommandReply((texts.JSON_AS_FILE,), file=transcript.dumps(shown).encode())
    return CommandReply(tuple(written))


def _within(limit: int, said: Iterable[str]) -> Iterator[str]:
    """Cut what is too long for one message."""
    for text in said:
        yield from [text] if len(text) <= limit else split(text, limit)


def _may_settle(pending: PendingSystemMessage, order: CommandRequest) -> bool:
    by_author = pending.author == order.entry.message.author.id
    return by_author and pending.settled_by in {"", order.identity}


def _scope_of(where: Thread | Place, order: CommandRequest) -> str:
    return _scope(order.entry.message, place=where == order.thread.place)


def _scope(message: Message, *, place: bool) -> str:
    """Say where a setting acts; what several people write in is a channel to them."""
    if message.thread.root and not place:
        return texts.IN_THIS_THREAD
    return texts.IN_THIS_CHANNEL if message.thread.root and message.shared else texts.IN_THIS_CHAT


def _told(past: ThreadHistory) -> list[str]:
    return [turn.id for turn in past.turns if turn.told]


def _by_model(past: ThreadHistory) -> dict[str, tuple[int, int, Usage]]:
    """Add up answers, pictures and tokens by the model that answered."""
    sums: dict[str, tuple[int, int, Usage]] = {}
    for turn in past.turns:
        name = turn.model or turn.deployment
        answers, pictures, usage = sums.get(name, (0, 0, Usage()))
        shown = len(turn.shown) + len(turn.sheets)
        sums[name] = (answers + turn.told, pictures + shown, usage + turn.usage)
    return sums
