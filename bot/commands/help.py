"""`/help`: the list of commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import strings as texts
from bot.commands.declaration import CommandDeclaration, CommandReply
from bot.domain.commands import CommandSpec, Effect, MenuItem
from bot.ports.channel import Button

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.commands.declaration import CommandRequest, CommandServices


async def _help(request: CommandRequest, services: CommandServices) -> CommandReply:
    """List the commands, with buttons where the chat app takes `/` for its own commands."""
    prefix = request.capabilities.prefix
    text = texts.help_text(services.specs, prefix, offline=services.preferences.deployment.offline)
    return CommandReply((text,), _buttons(services.specs) if prefix == "!" else ())


def _buttons(specs: Iterable[CommandSpec]) -> tuple[Button, ...]:
    by_effect = sorted(specs, key=lambda spec: (spec.effect, spec.rank))
    return tuple(Button(spec.button, f"/{spec.name}") for spec in by_effect if spec.button)


HELP = CommandDeclaration(
    CommandSpec(
        name="help",
        summary=texts.HELP_SUMMARY,
        effect=Effect.READS,
        ignores_argument=True,
        rank=1,
        menu=(MenuItem(texts.HELP_MENU),),
    ),
    _help,
)
