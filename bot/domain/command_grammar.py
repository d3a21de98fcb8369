"""The grammar of commands in chat: `/json full`, `!stop`, `/system TEXT` and so on."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from bot.domain.commands import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.commands import CommandSpec

RESEMBLES = 0.78
"""How like a command an unknown word with text after it must be (difflib's ratio, 0..1)."""
RESEMBLES_ALONE = 0.6
"""How like a command an unknown word that stands alone must be."""

_COMMAND = re.compile(r"[/!](?P<name>[^\W\d_]{1,32})[.!?]*(?:\s+(?P<argument>.*))?", re.DOTALL)


class CommandGrammar:
    """Reads messages as commands.

    `specs` are all commands, in the order of the help; the first of them is proposed where a word
    is like none.
    """

    def __init__(self, specs: Sequence[CommandSpec]) -> None:
        self.specs = tuple(specs)
        self._by_name = {spec.name: spec for spec in self.specs}

    @property
    def fallback(self) -> CommandSpec:
        """The command that is proposed where a word is like none."""
        return self.specs[0]

    def parse(self, text: str) -> Command | None:
        """Read a message, without the mention, as a command; None when it is none.

        A command is `/` or `!` at once followed by a word of letters, then nothing or a space or
        line end and the argument. A word that is no command's name counts as a misspelt command
        when it stands alone or resembles one, so "/jsn" does, while "/ means division",
        "!!! look", "/etc/passwd is shown" and "/tmp is full" are ordinary text.
        """
        match = _COMMAND.fullmatch(text.strip())
        if match is None:
            return None
        name, argument = match["name"].lower(), match["argument"] or ""
        spec = self._by_name.get(name)
        return self._unknown(name, alone=not argument) if spec is None else _known(spec, argument)

    def _unknown(self, name: str, *, alone: bool) -> Command | None:
        """Find the nearest command, or the fallback for a word alone that is like none."""
        cutoff = RESEMBLES_ALONE if alone else RESEMBLES
        nearest = get_close_matches(name, self._by_name, n=1, cutoff=cutoff)
        if not nearest and not alone:
            return None
        spec = self._by_name[nearest[0]] if nearest else self.fallback
        return Command(spec, valid=False, unknown_name=name)


def _known(spec: CommandSpec, argument: str) -> Command:
    """Read the argument of a known command."""
    word = argument.lower().rstrip(".!?")
    if not argument or spec.ignores_argument:
        return Command(spec)
    if word in spec.choices:
        return Command(spec, word)
    takes_text = any(choice.isupper() for choice in spec.choices)
    return Command(spec, argument, valid=takes_text)
