"""`/stop`: ends the answer under way and drops what waits.

The mailbox does that when it accepts the command; what is left to do is to answer it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import strings as texts
from bot.commands.declaration import CommandDeclaration, CommandReply
from bot.domain.commands import CommandSpec, Effect, MenuItem

if TYPE_CHECKING:
    from bot.commands.declaration import CommandRequest, CommandServices


async def _stop(request: CommandRequest, _: CommandServices) -> CommandReply:
    return CommandReply((texts.STOPPING if request.entry.before else texts.NOTHING_TO_STOP,))


STOP = CommandDeclaration(
    CommandSpec(
        name="stop",
        summary=texts.STOP_SUMMARY,
        effect=Effect.STOPS,
        ignores_argument=True,
        slash="latest thread",
        rank=4,
        menu=(MenuItem(texts.STOP_MENU),),
        button=texts.END_ANSWER,
    ),
    _stop,
)
