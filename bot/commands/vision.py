"""`/vision`: whether pictures are read beforehand and answers outlined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import strings as texts
from bot.commands.declaration import CommandDeclaration, CommandReply
from bot.domain.commands import CommandSpec, Effect, MenuItem

if TYPE_CHECKING:
    from bot.commands.declaration import CommandRequest, CommandServices


async def _vision(request: CommandRequest, services: CommandServices) -> CommandReply:
    if not request.argument:
        settings = await services.preferences.of(request.thread)
        return CommandReply((texts.vision_shown(settings.vision),))
    on = request.argument == "on"
    await services.history.change(request.where, vision=on)
    return CommandReply((texts.vision_set(on, request.scope),))


VISION = CommandDeclaration(
    CommandSpec(
        name="vision",
        argument="on|off",
        summary=texts.VISION_SUMMARY,
        effect=Effect.SETS,
        rank=7,
        menu=(MenuItem(texts.VISION_MENU),),
    ),
    _vision,
)
