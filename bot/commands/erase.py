"""`/reset` and `/forget`: erase the history of a thread, or all that is stored of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import strings as texts
from bot.commands.declaration import CommandDeclaration, CommandReply
from bot.domain.commands import CommandSpec, Effect, MenuItem

if TYPE_CHECKING:
    from bot.commands.declaration import CommandRequest, CommandServices
    from bot.domain.history import ThreadHistory


async def _reset(request: CommandRequest, services: CommandServices) -> CommandReply:
    past = await services.history.past(request.thread)
    await services.attachments.forget(request.thread, request.entry.at)
    return CommandReply(
        (texts.history_reset(_answers(past), videos=bool(past.videos)),), erase="history"
    )


async def _forget(request: CommandRequest, services: CommandServices) -> CommandReply:
    past = await services.history.past(request.thread)
    settings = await services.history.settings(request.thread)
    await services.attachments.forget(request.thread, request.entry.at)
    receipt = texts.forget_receipt(
        _answers(past), len(past.photos), len(past.videos), settings.count
    )
    return CommandReply((receipt,), erase="everything")


def _answers(past: ThreadHistory) -> int:
    """Count the turns that belong to the conversation."""
    return sum(turn.has_answer for turn in past.turns)


RESET = CommandDeclaration(
    CommandSpec(
        name="reset",
        summary=texts.RESET_SUMMARY,
        effect=Effect.ERASES,
        slash="none",
        rank=10,
        menu=(MenuItem(texts.RESET_MENU),),
    ),
    _reset,
)
FORGET = CommandDeclaration(
    CommandSpec(
        name="forget",
        summary=texts.FORGET_SUMMARY,
        effect=Effect.ERASES,
        slash="none",
        rank=11,
        menu=(MenuItem(texts.FORGET_MENU, texts.FORGET_MENU_SHARED),),
    ),
    _forget,
)
