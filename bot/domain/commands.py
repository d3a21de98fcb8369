"""The specification of a command in chat, and a command as somebody wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal


class Effect(IntEnum):
    """What a command does, from what only reads to what destroys."""

    READS = 1
    """It shows what was committed last, so it overtakes the queue."""
    STOPS = 2
    """It ends or removes what was accepted before it."""
    SETS = 3
    """It leaves a setting behind, and takes its place in the queue."""
    ERASES = 4
    """It ends what was accepted before it, then erases what is stored."""


SlashTarget = Literal["place", "latest thread", "none"]
"""What a command acts on when it is given by Slack's slash command, which names no thread.

The caller's latest thread in the place, the place itself, or nothing: such a command has to be
given in the thread that it is about.
"""


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A line of the menu of commands that a chat app shows.

    `shared_description` describes it where several people write, if it reads differently there.
    """

    description: str
    shared_description: str = ""
    argument: str = ""


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """All that is declared of a command, except what carries it out.

    `argument` is what may follow, in the usual notation: `[…]` may be left out, `|` separates
    choices, a word in capitals stands for any text. Every argument may be left out in fact: the
    command then shows what is set. `ignores_argument` is for commands that take no notice of what
    follows. `summary` is its line in the help.

    `shared_only` is the answer in a personal chat of a command that is only for places where
    several people write, and empty for all others. If it `is_announced`, everybody there is shown
    what it changes. `menu` is how the menus of chat apps offer it, those of the lowest `rank`
    first, and `button` the title of its button below the help.
    """

    name: str
    summary: str
    effect: Effect
    argument: str = ""
    ignores_argument: bool = False
    shared_only: str = ""
    is_announced: bool = False
    slash: SlashTarget = "place"
    rank: int = 0
    menu: tuple[MenuItem, ...] = ()
    button: str = ""

    @property
    def usage(self) -> str:
        """The command as people write it, such as `/json [full]`."""
        return f"/{self.name} {self.argument}".rstrip()

    @property
    def choices(self) -> tuple[str, ...]:
        """What may follow, without the notation."""
        return tuple(filter(None, self.argument.strip("[]").split("|")))

    @property
    def example(self) -> str:
        """The command as it may be given, without its slash: a setting with its first choice."""
        choices = self.choices[:1] if self.effect is Effect.SETS else ()
        return " ".join((self.name, *choices))


@dataclass(frozen=True, slots=True)
class Command:
    """A command as somebody wrote it.

    Choices of `argument` are in lower case. A command that cannot be obeyed is not `valid`: either
    there is no command `unknown_name`, and `spec` is the most like it, or its argument is wrong.
    """

    spec: CommandSpec
    argument: str = ""
    valid: bool = True
    unknown_name: str = ""

    @property
    def name(self) -> str:
        """Its name as it was written, in lower case."""
        return self.unknown_name or self.spec.name

    @property
    def unknown(self) -> bool:
        """Whether there is no command of its name."""
        return bool(self.unknown_name)

    @property
    def reads(self) -> bool:
        """Whether it overtakes the queue, since it only reads."""
        return not self.unknown and self.spec.effect is Effect.READS

    @property
    def sets(self) -> bool:
        """Whether it leaves a setting behind."""
        return not self.unknown and self.spec.effect is Effect.SETS

    @property
    def stops(self) -> bool:
        """Whether it ends or removes what was accepted before it."""
        return self.valid and self.spec.effect in {Effect.STOPS, Effect.ERASES}

    @property
    def erases(self) -> bool:
        """Whether it erases what is stored."""
        return self.valid and self.spec.effect is Effect.ERASES

    @property
    def is_announced(self) -> bool:
        """Whether everybody in a shared place has to see what it changes."""
        return not self.unknown and self.spec.is_announced and bool(self.argument)

    @property
    def slash(self) -> SlashTarget:
        """What it acts on when it is given by Slack's slash command."""
        return "place" if self.unknown else self.spec.slash
