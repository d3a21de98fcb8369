"""`/photos`: the numbered photos and videos of a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import strings as texts
from bot.commands.declaration import CommandDeclaration, CommandReply
from bot.domain.commands import CommandSpec, Effect, MenuItem

if TYPE_CHECKING:
    from bot.commands.declaration import CommandRequest, CommandServices


async def _photos(request: CommandRequest, services: CommandServices) -> CommandReply:
    past = await services.history.past(request.thread)
    return CommandReply((texts.photo_log(past.photos, past.videos),))


PHOTOS = CommandDeclaration(
    CommandSpec(
        name="photos",
        summary=texts.PHOTOS_SUMMARY,
        effect=Effect.READS,
        slash="latest thread",
        rank=3,
        menu=(MenuItem(texts.PHOTOS_MENU, texts.PHOTOS_MENU_SHARED),),
        button=texts.SHOW_PHOTOS,
    ),
    _photos,
)
