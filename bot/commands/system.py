"""`/system`: the system message, and how a new one is proposed and confirmed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot import strings as texts
from bot.commands.declaration import CommandDeclaration, CommandReply
from bot.domain.commands import CommandSpec, Effect, MenuItem
from bot.domain.preferences import PendingSystemMessage
from bot.ports.channel import Button

if TYPE_CHECKING:
    from bot.commands.declaration import CommandRequest, CommandServices
    from bot.domain.threads import Place, Thread
    from bot.ports.history import History

CONFIRM_WITHIN = 600.0
"""Seconds that a new system message waits for its author's Continue (ten minutes)."""


async def _system(request: CommandRequest, services: CommandServices) -> CommandReply:
    handler = {"": _show, "continue": _confirm, "cancel": _cancel, "reset": _reset}
    return await handler.get(request.argument, _propose)(request, services)


async def _show(request: CommandRequest, services: CommandServices) -> CommandReply:
    return CommandReply((texts.system_shown(await services.preferences.of(request.thread)),))


async def _propose(request: CommandRequest, services: CommandServices) -> CommandReply:
    settings = await services.preferences.of(request.thread)
    pending = PendingSystemMessage(
        author=request.message.author.id,
        text=request.argument,
        expires=request.now + CONFIRM_WITHIN,
    )
    await services.history.change(request.where, pending=pending)
    buttons = (
        Button(texts.CONTINUE, "/system continue"),
        Button(texts.CANCEL, "/system cancel"),
    )
    question = texts.system_confirm(settings.system, request.argument, request.scope)
    return CommandReply((request.spelled(question),), buttons)


async def _confirm(request: CommandRequest, services: CommandServices) -> CommandReply:
    proposal = await _settle(request, services.history)
    if proposal is None:
        return CommandReply((request.spelled(texts.NOTHING_PENDING),))
    where, text = proposal
    await services.history.change(where, system=text)
    return CommandReply((texts.system_changed(request.scope_of(where)),))


async def _cancel(request: CommandRequest, services: CommandServices) -> CommandReply:
    proposal = await _settle(request, services.history)
    text = texts.NOTHING_PENDING if proposal is None else texts.SYSTEM_KEPT
    return CommandReply((request.spelled(text),))


async def _reset(request: CommandRequest, services: CommandServices) -> CommandReply:
    await services.history.change(request.where, system=None, pending=None)
    settings = await services.preferences.of(request.thread)
    return CommandReply((texts.system_reset(settings, request.scope),))


async def _settle(request: CommandRequest, history: History) -> tuple[Thread | Place, str] | None:
    """Find the author's proposal in the thread or for its place; drop it when it has expired.

    The proposal then counts as settled by this command, and is found once more only by the same
    command when it is executed again after a crash.
    """
    for where in (request.where, request.thread, request.thread.place):
        pending = (await history.settings(where)).pending
        if pending is None:
            continue
        if pending.expires < request.now:
            await history.change(where, pending=None)
        elif _may_settle(pending, request):
            await history.change(where, pending=replace(pending, settled_by=request.identity))
            return where, pending.text
    return None


def _may_settle(pending: PendingSystemMessage, request: CommandRequest) -> bool:
    by_author = pending.author == request.message.author.id
    return by_author and pending.settled_by in {"", request.identity}


SYSTEM = CommandDeclaration(
    CommandSpec(
        name="system",
        argument="[TEXT|reset|continue|cancel]",
        summary=texts.SYSTEM_SUMMARY,
        effect=Effect.SETS,
        rank=5,
        menu=(MenuItem(texts.SYSTEM_MENU),),
    ),
    _system,
)
