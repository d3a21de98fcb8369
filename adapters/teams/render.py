"""A post as the activity that shows it."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from adapters.teams.cards import card
from adapters.teams.markdown import settled, translate
from bot import strings as texts
from bot.ports.channel import Stage
from bot.text.graphemes import boundary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.teams.addresses import TeamsAddress
    from bot.ports.channel import Citation, Post

MAX_BYTES = 80_000
"""Advised size of a message in UTF-16:
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages
"""
MAX_CITATIONS = 20
NAME_LENGTH = 80
ABSTRACT_LENGTH = 160
"""Limits of citations, the lengths in characters:
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bot-messages-ai-generated-content
"""


def message(address: TeamsAddress, post: Post, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Make the message of a post: a text, or a card only where it has buttons."""
    shown = text(post, max_bytes)
    activity = base(address, "message")
    cited = _cited(post, shown)
    if post.generated or cited:
        activity["entities"] = [root(cited, generated=post.generated)]
    if post.buttons:
        return activity | {"attachments": [card(shown, post.buttons)]}
    return activity | {"text": shown, "textFormat": "markdown"}


def typing(address: TeamsAddress) -> dict[str, Any]:
    """Make the sign that something is being written."""
    return base(address, "typing")


def base(address: TeamsAddress, kind: str) -> dict[str, Any]:
    """Make an activity from the bot to the conversation of an address."""
    people = {"from": address.bot, "recipient": address.user}
    known = {role: person for role, person in people.items() if person and person.get("id")}
    return {"type": kind, **known, "conversation": {"id": address.conversation}}


def text(post: Post, max_bytes: int = MAX_BYTES) -> str:
    """Translate the text of a post; a growing one only as far as it will stay."""
    source = settled(post.text) if post.stage is Stage.GROWING else post.text
    return _fit(translate(source), max_bytes)


def picture(address: TeamsAddress, name: str, jpeg: bytes) -> bytes:
    """Make the message that shows a picture, as JSON; takes a moment, so not in the event loop."""
    data = base64.b64encode(jpeg).decode()
    url = f"data:image/jpeg;base64,{data}"
    attachment = {"contentType": "image/jpeg", "contentUrl": url, "name": name}
    return json.dumps(base(address, "message") | {"attachments": [attachment]}).encode()


def root(cited: Sequence[Citation], *, generated: bool) -> dict[str, Any]:
    """Make the entity that labels a message as generated and holds its citations.

    A message has one such root at most:
    https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bot-messages-ai-generated-content
    """
    return {
        "type": "https://schema.org/Message",
        "@type": "Message",
        "@context": "https://schema.org",
        **({"additionalType": ["AIGeneratedContent"]} if generated else {}),
        **({"citation": [_claim(citation) for citation in cited]} if cited else {}),
    }


def _cited(post: Post, shown: str) -> list[Citation]:
    """List the citations whose number stands in a text that will not change any more."""
    if post.stage is not Stage.FINAL:
        return []
    found = [citation for citation in post.citations if f"[{citation.number}]" in shown]
    return found[:MAX_CITATIONS]


def _claim(citation: Citation) -> dict[str, Any]:
    return {
        "@type": "Claim",
        "position": citation.number,
        "appearance": {
            "@type": "DigitalDocument",
            "name": _short(citation.name, NAME_LENGTH),
            "abstract": _short(citation.abstract, ABSTRACT_LENGTH),
            "image": {"@type": "ImageObject", "name": "Image"},
        },
    }


def _short(words: str, length: int) -> str:
    return words if len(words) <= length else f"{words[: boundary(words, length - 1)].rstrip()}…"


def _fit(shown: str, max_bytes: int) -> str:
    """Cut a text that is too large for the platform at a line end, and say so."""
    encoded = shown.encode("utf-16-le", "surrogatepass")
    if len(encoded) <= max_bytes:
        return shown
    kept = encoded[: max_bytes - 2 * len(texts.CUT) - 4].decode("utf-16-le", "ignore")
    return f"{kept[: kept.rfind(chr(10)) + 1 or None].rstrip()}\n\n{texts.CUT}"
