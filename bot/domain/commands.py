"""The grammar of commands in chat: `/json full`, `!stop`, `/system TEXT` and so on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

RESEMBLES = 0.78
"""How like a command an unknown word with text after it must be (difflib's ratio, 0..1)."""

_WRITTEN = re.compile(r"[/!](?P<name>[^\W\d_]{1,32})[.!?]*(?:\s+(?P<argument>.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Form:
    """How one command is written.

    `argument` is what may follow, in the usual notation: `[…]` may be left out, `|` separates
    choices, a word in capitals stands for any text. Every argument may be left out in fact: the
    command then shows what is set. `express` commands only read and overtake the queue; `stops`
    commands end or remove what was accepted before them; `heedless` ones ignore what follows.
    """

    name: str
    argument: str = ""
    express: bool = False
    stops: bool = False
    heedless: bool = False

    @property
    def usage(self) -> str:
        """The command as people write it, such as `/json [full]`."""
        return f"/{self.name} {self.argument}".rstrip()

    @property
    def choices(self) -> tuple[str, ...]:
        """What may follow, without the notation."""
        return tuple(filter(None, self.argument.strip("[]").split("|")))


COMMANDS = (
    Form("help", express=True, heedless=True),
    Form("json", "[full]", express=True),
    Form("system", "[TEXT|reset|continue|cancel]"),
    Form("vision", "on|off"),
    Form("model", "[NAME]"),
    Form("stop", stops=True, heedless=True),
    Form("reset", stops=True),
    Form("forget", stops=True),
    Form("photos", express=True),
    Form("watch", "photos|all|off"),
    Form("usage", express=True),
)
"""All commands, in the order of the help; their meanings are in `bot.strings.HELP`."""

FORMS = {form.name: form for form in COMMANDS}


@dataclass(frozen=True, slots=True)
class Command:
    """A command as somebody wrote it.

    `name` and choices of `argument` are in lower case. A command that cannot be obeyed is not
    `valid`: with `nearest` its name is unknown and that known one is the most like it, else its
    argument is wrong and `usage` says how it is written.
    """

    name: str
    argument: str = ""
    valid: bool = True
    nearest: str = ""

    @property
    def express(self) -> bool:
        """Whether it overtakes the queue, since it only reads."""
        return self.name in FORMS and FORMS[self.name].express

    @property
    def stops(self) -> bool:
        """Whether it ends or removes what was accepted before it."""
        return self.valid and FORMS[self.name].stops

    @property
    def usage(self) -> str:
        """How it, or the nearest known command, is written."""
        return FORMS[self.nearest or self.name].usage


def parse(text: str) -> Command | None:
    """Read a message, without the mention, as a command; None when it is none.

    A command is `/` or `!` at once followed by a word of letters, then nothing or a space or line
    end and the argument. A word that is no command's name counts as a misspelt command when it
    stands alone or resembles one, so "/jsn" does, while "/ means division", "!!! look",
    "/etc/passwd is shown" and "/tmp is full" are ordinary text.
    """
    written = _WRITTEN.fullmatch(text.strip())
    if written is None:
        return None
    name, argument = written["name"].lower(), written["argument"] or ""
    if name in FORMS:
        return _known(FORMS[name], argument)
    return _unknown(name, alone=not argument)


def _known(form: Form, argument: str) -> Command:
    word = argument.lower().rstrip(".!?")
    if not argument or form.heedless:
        return Command(form.name)
    if word in form.choices:
        return Command(form.name, word)
    takes_text = any(choice.isupper() for choice in form.choices)
    return Command(form.name, argument, valid=takes_text)


def _unknown(name: str, *, alone: bool) -> Command | None:
    """Find the nearest command, or `/help` for a word alone that is like none."""
    nearest = get_close_matches(name, FORMS, n=1, cutoff=0.6 if alone else RESEMBLES)
    if not nearest and not alone:
        return None
    return Command(name, valid=False, nearest=nearest[0] if nearest else "help")
