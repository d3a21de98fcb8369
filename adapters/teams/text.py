"""The text of an activity, without the bot's mention and quotes."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from adapters.http.json_fields import button_command, dig, identifier, name, string
from adapters.teams.html import HtmlSummary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botbuilder.schema import Activity

COMMAND_KEY = "loupe"
"""The key in a button's data under which its command is."""
MAX_MENTIONS = 200

# Every repetition is bounded, so that no text can make a search slow.
_AT = re.compile(r"<at\b[^<>]{0,100}>([^<>]{0,300})</at>((?:&nbsp;|[ \xa0]){0,9})")
_QUOTE = re.compile(r'<quoted\s{1,3}messageId="([^"<>]{0,200})"\s{0,3}/?>(?:</quoted>)?')


def mentions_bot(activity: Activity) -> bool:
    """Return whether the bot, which is the recipient, is mentioned."""
    bot = _bot(activity)
    return bool(bot) and any(user == bot for user, _ in _mentions(activity))


def command(value: Any) -> str:
    """Return the command in the data of a button of ours: `{"loupe": "/system continue"}`.

    It is empty unless it is a short text that begins with a slash.
    """
    return button_command(dig(value, COMMAND_KEY))


def words(activity: Activity) -> str:
    """Return the text without the bot's mention, quotes and HTML."""
    text = _without_mentions(_QUOTE.sub("", activity.text or ""), activity)
    if (activity.text_format or "").lower() == "xml":
        text = HtmlSummary(text).text
    return text.replace("&nbsp;", " ").replace("\xa0", " ").strip()


def quoted_id(activity: Activity, html: HtmlSummary) -> str:
    """Return the id of the quoted message, in any of the forms that clients use; empty if none."""
    for entity in activity.entities:
        if entity.type == "quotedReply":
            message_id = dig(entity.additional_properties, "quotedReply", "messageId")
            return identifier(message_id)
    tag = _QUOTE.search(activity.text or "")
    return tag[1] if tag else identifier(html.quoted_id)


def _bot(activity: Activity) -> str:
    return (activity.recipient and activity.recipient.id) or ""


def _mentions(activity: Activity) -> Iterator[tuple[str, str]]:
    """Yield the id of each mentioned account and the text of the mention, in order."""
    for entity in activity.entities:
        if entity.type == "mention":
            extra = entity.additional_properties
            yield string(dig(extra, "mentioned", "id")), string(dig(extra, "text"))


def _without_mentions(text: str, activity: Activity) -> str:
    """Remove the mentions of the bot and replace the others by names.

    If a person has the same name as the bot, the order of the mentions tells them apart.
    """
    bot = _bot(activity)
    ids: dict[str, list[str]] = defaultdict(list)
    for user, mention in islice(_mentions(activity), MAX_MENTIONS):
        if tag := _AT.search(mention):
            ids[tag[1]].append(user)
        elif bot and user == bot and mention:
            text = text.replace(mention, "", 1)

    def plain_name(tag: re.Match[str]) -> str:
        namesakes = ids[tag[1]]
        user = namesakes.pop(0) if len(namesakes) > 1 else "".join(namesakes)
        return "" if bot and user == bot else name(tag[1]) + tag[2]

    return _AT.sub(plain_name, text)
