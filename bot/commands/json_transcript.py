"""`/json`: the raw transcript."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bot import strings as texts
from bot.commands.declaration import CommandDeclaration, CommandReply
from bot.commands.json_blocks import blocks, dumps, exceeds, full_blocks
from bot.commands.transcript import full, transcript
from bot.domain.commands import CommandSpec, Effect, MenuItem

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.commands.declaration import CommandRequest, CommandServices
    from bot.domain.history import ThreadHistory


async def _json(request: CommandRequest, services: CommandServices) -> CommandReply:
    past = await services.history.past(request.thread)
    settings = await services.preferences.of(request.thread)
    return await asyncio.to_thread(_transcript, request, settings.system, past)


def _transcript(request: CommandRequest, system: str, past: ThreadHistory) -> CommandReply:
    """Write the transcript as messages, or as a file where it is too long for one."""
    view: Any
    cut: Callable[[Any, int], list[str]]
    if request.argument == "full":
        view, cut = full(request.thread, system, past), full_blocks
    else:
        view, cut = transcript(system, past), blocks
    limit, files = request.capabilities.text_limit, request.capabilities.files
    too_long = files and exceeds(view, limit)
    messages = [] if too_long else cut(view, limit)
    if files and len(messages) != 1:
        return CommandReply((texts.JSON_AS_FILE,), file=dumps(view).encode())
    return CommandReply(tuple(messages))


JSON = CommandDeclaration(
    CommandSpec(
        name="json",
        argument="[full]",
        summary=texts.JSON_SUMMARY,
        effect=Effect.READS,
        slash="latest thread",
        rank=8,
        menu=(MenuItem(texts.JSON_MENU), MenuItem(texts.JSON_FULL_MENU, argument="full")),
        button=texts.SHOW_TRANSCRIPT,
    ),
    _json,
)
