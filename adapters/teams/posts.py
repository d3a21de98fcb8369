"""A post as the activity that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.teams.cards import card
from adapters.teams.dialect import settled, translate
from bot import texts
from bot.channel import Stage

if TYPE_CHECKING:
    from bot.channel import Post
    from bot.messages import Address

MAX_BYTES = 80_000
"""Advised size of a message in UTF-16:
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages
"""


def message(address: Address, post: Post, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Make the message of a post: a text, or a card only where it has buttons."""
    shown = text(post, max_bytes)
    activity = base(address, "message")
    if post.generated:
        activity["entities"] = [ai_label()]
    if post.buttons:
        return activity | {"attachments": [card(shown, post.buttons)]}
    return activity | {"text": shown, "textFormat": "markdown"}


def typing(address: Address) -> dict[str, Any]:
    """Make the sign that something is being written."""
    return base(address, "typing")


def base(address: Address, kind: str) -> dict[str, Any]:
    """Make an activity from the bot to the conversation of an address."""
    people = {"from": address.get("bot"), "recipient": address.get("user")}
    known = {role: person for role, person in people.items() if person and person.get("id")}
    return {"type": kind, **known, "conversation": {"id": address["conversation"]}}


def text(post: Post, max_bytes: int = MAX_BYTES) -> str:
    """Translate the text of a post; a growing one only as far as it will stay."""
    source = settled(post.text) if post.stage is Stage.GROWING else post.text
    return _fit(translate(source), max_bytes)


def ai_label() -> dict[str, Any]:
    """Make the entity that labels a message as generated; a message has one such root at most.

    https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bot-messages-ai-generated-content
    """
    return {
        "type": "https://schema.org/Message",
        "@type": "Message",
        "@context": "https://schema.org",
        "additionalType": ["AIGeneratedContent"],
    }


def _fit(shown: str, max_bytes: int) -> str:
    """Cut a text that is too large for the platform at a line end, and say so."""
    encoded = shown.encode("utf-16-le", "surrogatepass")
    if len(encoded) <= max_bytes:
        return shown
    kept = encoded[: max_bytes - 2 * len(texts.CUT) - 4].decode("utf-16-le", "ignore")
    return f"{kept[: kept.rfind(chr(10)) + 1 or None].rstrip()}\n\n{texts.CUT}"
