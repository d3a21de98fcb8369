"""The words of an activity: without the bot's mention, and apart from what they quote."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from adapters.http.json_fields import button_command, dig, identifier, name, string
from adapters.teams.html import HtmlSummary
from adapters.teams.render import COMMAND_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botbuilder.schema import Activity

MOST_MENTIONS = 200

# Every repetition is bounded, so that no text makes the search slow.
_AT = re.compile(r"<at\b[^<>]{0,100}>([^<>]{0,300})</at>((?:&nbsp;|[ \xa0]){0,9})")
_QUOTED = re.compile(r'<quoted\s{1,3}messageId="([^"<>]{0,200})"\s{0,3}/?>(?:</quoted>)?')


def mentions_bot(activity: Activity) -> bool:
    """Return whether one of the mentions is of the recipient."""
    bot = _bot(activity)
    return bool(bot) and any(who == bot for who, _ in _mentions(activity))


def command(value: Any) -> str:
    """Read the command that pressing a button of ours sends: `{"loupe": "/system continue"}`.

    Only a short text that begins with a slash is one; empty for all else.
    """
    return button_command(dig(value, COMMAND_KEY))


def words(activity: Activity) -> str:
    """Read what was said: the text without the bot's mention, quotes and HTML."""
    text = _without_mentions(_QUOTED.sub("", activity.text or ""), activity)
    if (activity.text_format or "").lower() == "xml":
        text = HtmlSummary(text).text
    return text.replace("&nbsp;", " ").replace("\xa0", " ").strip()


def quoted(activity: Activity, html: HtmlSummary) -> str:
    """Read the id of the message that this one quotes, however the client wrote it; else empty."""
    for entity in activity.entities:
        if entity.type == "quotedReply":
            found = dig(entity.additional_properties, "quotedReply", "messageId")
            return identifier(found)
    tag = _QUOTED.search(activity.text or "")
    return tag[1] if tag else identifier(html.quoted)


def _bot(activity: Activity) -> str:
    return (activity.recipient and activity.recipient.id) or ""


def _mentions(activity: Activity) -> Iterator[tuple[str, str]]:
    """List who is mentioned, and the text that does it, in the order of the text."""
    for entity in activity.entities:
        if entity.type == "mention":
            extra = entity.additional_properties
            yield string(dig(extra, "mentioned", "id")), string(dig(extra, "text"))


def _without_mentions(text: str, activity: Activity) -> str:
    """Remove the bot's mentions and turn the others into plain names.

    People may bear the bot's name: then the order of the mentions tells them apart.
    """
    bot = _bot(activity)
    who: dict[str, list[str]] = defaultdict(list)
    for mentioned, shown in islice(_mentions(activity), MOST_MENTIONS):
        if tag := _AT.search(shown):
            who[tag[1]].append(mentioned)
        elif bot and mentioned == bot and shown:
            text = text.replace(shown, "", 1)

    def spoken(tag: re.Match[str]) -> str:
        same = who[tag[1]]
        mentioned = same.pop(0) if len(same) > 1 else "".join(same)
        return "" if bot and mentioned == bot else name(tag[1]) + tag[2]

    return _AT.sub(spoken, text)
