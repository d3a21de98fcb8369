"""The words of a post: without the bot's mention, and without Slack's notation.

The notation is that of https://docs.slack.dev/messaging/formatting-message-text/.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_MENTIONS = 100
"""People whose names are looked up for one text."""

# Every repetition is bounded and stops at the next bracket, so that no text makes them slow.
_MARKED = re.compile(r"<([@#!]?)([^<>|]{1,4000})(?:\|([^<>]{0,4000}))?>")
_MENTION = re.compile(r"<@([A-Z0-9]{1,30})(?:\|[^<>]{0,200})?>")
_ESCAPED = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def words(text: str, bot: str) -> str:
    """Read what was written as plain text; people's mentions stay, for `named`.

    `bot` is the user id of Loupe, whose mentions go.
    """
    return unescaped(_MARKED.sub(lambda marked: _spoken(marked, bot), text))


def unescaped(text: str) -> str:
    """Read a text that has no notation in it but for the three escaped characters."""
    for escaped, character in _ESCAPED:
        text = text.replace(escaped, character)
    return text.replace("\xa0", " ").strip()


def mentions(text: str) -> tuple[str, ...]:
    """List the ids of the people whom a text mentions, each once, at most a hundred."""
    return tuple(dict.fromkeys(_MENTION.findall(text)))[:MOST_MENTIONS]


def named(text: str, names: Mapping[str, str]) -> str:
    """Write names for mentions; where a name is not known the mention stays."""

    def spoken(mention: re.Match[str]) -> str:
        name = names.get(mention[1], "")
        return f"@{name}" if name else mention[0]

    return _MENTION.sub(spoken, text)


def _spoken(marked: re.Match[str], bot: str) -> str:
    kind, what, label = marked[1], marked[2], marked[3] or ""
    if kind == "@":
        return "" if bot and what == bot else f"<@{what}>"
    if kind == "#":
        return f"#{label or what}"
    if kind == "!":
        return _special(what, label)
    return _link(what, label)


def _special(what: str, label: str) -> str:
    """Read a group's mention, such as `<!here>` or `<!subteam^S1|@editors>`, or a date."""
    if what.startswith("date^"):
        return label
    return f"@{(label or what.partition('^')[0]).lstrip('@')}"


def _link(url: str, label: str) -> str:
    """Read a link; a label that only shortens its address is no news."""
    address = url.removeprefix("mailto:").removeprefix("tel:")
    if not label or label == address or address.endswith(f"//{label}"):
        return address if label or address == url else url
    return f"{label} ({url})"
