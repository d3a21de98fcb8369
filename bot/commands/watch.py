"""`/watch`: which posts of a channel or group chat are read without a mention."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bot import strings as texts
from bot.commands.declaration import CommandDeclaration, CommandReply
from bot.domain.commands import CommandSpec, Effect, MenuItem

if TYPE_CHECKING:
    from bot.commands.declaration import CommandRequest, CommandServices
    from bot.domain.preferences import Watch


async def _watch(request: CommandRequest, services: CommandServices) -> CommandReply:
    place = request.thread.place
    if not request.argument:
        watch = (await services.history.settings(place)).watch or "off"
        return CommandReply((request.spelled(texts.watch_shown(watch)),))
    watch = cast("Watch", request.argument)
    await services.history.change(place, watch=watch, hint_message=None)
    return CommandReply((texts.watch_set(watch, request.message.author.name),))


WATCH = CommandDeclaration(
    CommandSpec(
        name="watch",
        argument="photos|all|off",
        summary=texts.WATCH_SUMMARY,
        effect=Effect.SETS,
        shared_only=texts.WATCH_NEEDS_CHANNEL,
        is_announced=True,
        rank=2,
        menu=(MenuItem(texts.WATCH_MENU),),
    ),
    _watch,
)
