"""The plain text of a post, without mentions of the bot and without Slack's markup.

The markup is described at https://docs.slack.dev/messaging/formatting-message-text/.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_MENTIONS = 100
"""Most people whose names are looked up for one text."""

# Every repetition is bounded and stops at the next bracket, so no text makes matching slow.
_MARKER = re.compile(r"<([@#!]?)([^<>|]{1,4000})(?:\|([^<>]{0,4000}))?>")
_MENTION = re.compile(r"<@([A-Z0-9]{1,30})(?:\|[^<>]{0,200})?>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def plain_text(text: str, bot: str) -> str:
    """Return a text without markup; mentions of people remain, for `with_names`.

    `bot` is the user id of Loupe, whose mentions are removed.
    """
    return unescape(_MARKER.sub(lambda marker: _marker_text(marker, bot), text))


def unescape(text: str) -> str:
    """Return a text without its entities, for a text that has no other markup."""
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return text.replace("\xa0", " ").strip()


def mentions(text: str) -> tuple[str, ...]:
    """Return the ids of the people whom a text mentions, each once, at most `MOST_MENTIONS`."""
    return tuple(dict.fromkeys(_MENTION.findall(text)))[:MOST_MENTIONS]


def with_names(text: str, names: Mapping[str, str]) -> str:
    """Return a text with names instead of mentions, except where a name is not known."""

    def name_of(mention: re.Match[str]) -> str:
        name = names.get(mention[1], "")
        return f"@{name}" if name else mention[0]

    return _MENTION.sub(name_of, text)


def _marker_text(marker: re.Match[str], bot: str) -> str:
    kind, target, label = marker[1], marker[2], marker[3] or ""
    if kind == "@":
        return "" if bot and target == bot else f"<@{target}>"
    if kind == "#":
        return f"#{label or target}"
    if kind == "!":
        return _special(target, label)
    return _link(target, label)


def _special(target: str, label: str) -> str:
    """Return the text of a date or of a group's mention (`<!here>`, `<!subteam^S1|@editors>`)."""
    if target.startswith("date^"):
        return label
    return f"@{(label or target.partition('^')[0]).lstrip('@')}"


def _link(url: str, label: str) -> str:
    """Return the text of a link; a label that only shortens the address is left out."""
    address = url.removeprefix("mailto:").removeprefix("tel:")
    if not label or label == address or address.endswith(f"//{label}"):
        return address if label or address == url else url
    return f"{label} ({url})"
