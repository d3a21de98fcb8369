"""`/usage`: the tokens that a thread has used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import strings as texts
from bot.commands.declaration import CommandDeclaration, CommandReply
from bot.domain.commands import CommandSpec, Effect, MenuItem
from bot.domain.history import Usage

if TYPE_CHECKING:
    from bot.commands.declaration import CommandRequest, CommandServices
    from bot.domain.history import ThreadHistory


async def _usage(request: CommandRequest, services: CommandServices) -> CommandReply:
    past = await services.history.past(request.thread)
    return CommandReply((texts.usage_shown(_by_model(past)),))


def _by_model(past: ThreadHistory) -> dict[str, tuple[int, int, Usage]]:
    """Add up answers, pictures and tokens by the model that answered."""
    sums: dict[str, tuple[int, int, Usage]] = {}
    for turn in past.turns:
        response = turn.response
        name = response.model or response.deployment
        answers, pictures, usage = sums.get(name, (0, 0, Usage()))
        new_pictures = len(turn.pictures.singles) + len(turn.pictures.sheets)
        sums[name] = (
            answers + turn.has_answer,
            pictures + new_pictures,
            usage + response.usage,
        )
    return sums


USAGE = CommandDeclaration(
    CommandSpec(
        name="usage",
        summary=texts.USAGE_SUMMARY,
        effect=Effect.READS,
        slash="latest thread",
        rank=9,
        menu=(MenuItem(texts.USAGE_MENU, texts.USAGE_MENU_SHARED),),
        button=texts.SHOW_USAGE,
    ),
    _usage,
)
