"""The parts of the documentation that are read off the code; `make docs` writes them.

Such a part stands in a page between `<!-- from the code: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import os
import re
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import annotated_types

from bot import strings as texts
from bot.app_settings import Settings
from bot.channels import CHANNELS, section_classes
from bot.cli import main as cli
from bot.commands.registry import GRAMMAR
from bot.domain.commands import Effect
from bot.limits import Limits
from bot.settings import Section, environment_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pydantic.fields import FieldInfo

    from bot.domain.commands import CommandSpec, SlashTarget
    from bot.ports.channel import Capabilities

ROOT = Path(__file__).resolve().parents[2]
PART = re.compile(r"(<!-- from the code: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)

CAPABILITIES = {
    "edits": "an answer can be seen while it is written",
    "streams": "it grows as a stream, not by edits",
    "stop_button": "it has a *Stop* button",
    "pictures": "photos with outlines and frames of videos appear below it",
    "files": "a long transcript comes as a file, not as several messages",
    "attachments": "attached files are read, not only pasted pictures",
    "earlier_messages": "pictures posted in a thread before Loupe was asked are read",
    "links": "web addresses that people wrote are links in answers",
    "edit_events": "edits and deletions of questions are noticed",
    "prefix": "how a command is written",
    "private_posts": "only one person sees the reply",
}
"""What a channel can or cannot do, in words, by the field of `bot.ports.channel.Capabilities`."""

WHEN = {
    Effect.READS: "at once: it only reads, and shows what was stored last",
    Effect.STOPS: "at once: it ends whatever was asked before it",
    Effect.SETS: "in turn, after the messages before it",
    Effect.ERASES: "at once: it ends whatever was asked before it",
}
"""When a command is obeyed, by what it does."""

SLASH_TARGETS: dict[SlashTarget, str] = {
    "place": "the channel or direct message",
    "latest thread": "the thread there in which you last wrote; the reply links to it",
    "none": "a thread only: type it in that thread, with a mention",
}
"""What a command is about when Slack's slash command gives it."""


def pages() -> list[Path]:
    """All pages of the documentation."""
    front = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [*front, *sorted((ROOT / "docs").rglob("*.md"))]


def places() -> dict[str, Capabilities]:
    """All places where conversations are held, with what can be done there."""
    return {name: able for channel in CHANNELS for name, able in channel.places.items()}


def sections() -> dict[str, type[Section]]:
    """All groups of settings by their names."""
    hints = [*get_type_hints(Settings).values(), *get_type_hints(Limits).values()]
    own = [hint for hint in hints if issubclass(hint, Section)]
    return {section.__name__: section for section in (*own, *section_classes(CHANNELS))}


def generate(page: str) -> str:
    """Write the parts of a page anew."""
    parts = _parts()
    return PART.sub(lambda part: f"{part[1]}\n{parts[part[2]]()}\n\n{part[3]}", page)


def help_of(*command: str) -> str:
    """What the command line says of itself, 80 columns wide."""
    output, before = StringIO(), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "80"
    try:
        with redirect_stdout(output):
            cli.run([*command, "--help"])
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    return output.getvalue().rstrip()


def _parts() -> dict[str, Callable[[], str]]:
    tables = {f"settings {name}": partial(_settings, kind) for name, kind in sections().items()}
    chat = {
        "commands": partial(commands_table, GRAMMAR.specs),
        "order of commands": partial(order_table, GRAMMAR.specs),
        "slash commands": partial(slash_table, GRAMMAR.specs),
        "channels": _channels,
    }
    return {"help": _help, **chat, **tables}


def _help() -> str:
    return f"```text\n{help_of()}\n```"


def commands_table(commands: Iterable[CommandSpec]) -> str:
    """Return the table of what commands do."""
    return _table(
        ("command", "what it does"),
        [(_code(command.usage), command.summary) for command in commands],
    )


def _channels() -> str:
    return _table(
        ("", *places()),
        [
            (capabilities, *(_able(getattr(able, name)) for able in places().values()))
            for name, capabilities in CAPABILITIES.items()
        ],
    )


def _able(what: bool | str) -> str:
    if isinstance(what, str):
        return f"`{what}photos`"
    return "yes" if what else "no"


def order_table(commands: Iterable[CommandSpec]) -> str:
    """Return the table of when commands are obeyed."""
    return _table(
        ("command", "when it takes effect"),
        [(_code(command.usage), WHEN[command.effect]) for command in commands],
    )


def slash_table(commands: Sequence[CommandSpec]) -> str:
    """Return the table of what commands act on when Slack's slash command gives them."""
    return _table(
        ("command", "what it applies to"),
        [
            (", ".join(_code(c.name) for c in commands if c.slash == target), meaning)
            for target, meaning in SLASH_TARGETS.items()
        ],
    )


def _settings(section: type[Section]) -> str:
    rows = [
        (
            _code(environment_name(section, field)),
            _default(environment_name(section, field), info),
            _meaning(info),
        )
        for field, info in section.model_fields.items()
    ]
    return _table(("name", "default", "meaning"), rows)


def _default(name: str, info: FieldInfo) -> str:
    value: Any = info.default
    if value is None or value == "":
        return "unset"
    if name.endswith(("_BYTES", "_MEMORY")):
        return f"{_code(str(value))} ({texts.size(value)})"
    return _code(str(value))


def _meaning(info: FieldInfo) -> str:
    return "; ".join([info.description or "", *_bounds(info)])


def _bounds(info: FieldInfo) -> list[str]:
    """Return between which values a number has to be."""
    bounds = []
    for bound in info.metadata:
        match bound:
            case annotated_types.Gt(gt=least):
                bounds.append(f"more than {least}")
            case annotated_types.Ge(ge=least):
                bounds.append(f"at least {least}")
            case annotated_types.Le(le=most):
                bounds.append(f"at most {most}")
    return bounds


def _code(text: str) -> str:
    return f"`{text}`"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write all pages anew."""
    for page in pages():
        page.write_text(generate(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
