"""Posts as activities: text, Adaptive Cards with buttons, pictures and citations.

https://adaptivecards.io/explorer/ and
https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-reference
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

from adapters.teams.markdown import stable_part, translate
from adapters.teams.text import COMMAND_KEY
from bot import strings as texts
from bot.ports.channel import Stage
from bot.text.graphemes import boundary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.teams.addresses import TeamsAddress
    from bot.ports.channel import Button, Citation, Post

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
CARD_TYPE = "application/vnd.microsoft.card.adaptive"


def message(address: TeamsAddress, post: Post, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Return the message of a post: text, or a card if it has buttons."""
    markdown = text(post, max_bytes)
    activity = base(address, "message")
    citations = _citations(post, markdown)
    if post.is_generated or citations:
        activity["entities"] = [root_entity(citations, ai_label=post.is_generated)]
    if post.buttons:
        return activity | {"attachments": [card(markdown, post.buttons)]}
    return activity | {"text": markdown, "textFormat": "markdown"}


def typing(address: TeamsAddress) -> dict[str, Any]:
    """Return the typing indicator."""
    return base(address, "typing")


def base(address: TeamsAddress, kind: str) -> dict[str, Any]:
    """Return an activity of type `kind` from the bot to the conversation of an address."""
    accounts = {"from": address.bot, "recipient": address.user}
    with_id = {role: account for role, account in accounts.items() if account.get("id")}
    return {"type": kind, **with_id, "conversation": {"id": address.conversation}}


def text(post: Post, max_bytes: int = MAX_BYTES) -> str:
    """Return the text of a post for Teams; of a growing one the part that will not change."""
    source = stable_part(post.text) if post.stage is Stage.GROWING else post.text
    return _fit(translate(source), max_bytes)


def picture(address: TeamsAddress, name: str, jpeg: bytes) -> bytes:
    """Return the message of a picture as JSON.

    Encoding takes long enough to block the event loop, so call it in a thread.
    """
    data = base64.b64encode(jpeg).decode()
    url = f"data:image/jpeg;base64,{data}"
    attachment = {"contentType": "image/jpeg", "contentUrl": url, "name": name}
    return json.dumps(base(address, "message") | {"attachments": [attachment]}).encode()


def card(text: str, buttons: Sequence[Button]) -> dict[str, Any]:
    """Return an Adaptive Card as an attachment: a block for each paragraph, and the buttons."""
    return {
        "contentType": CARD_TYPE,
        "content": {
            "type": "AdaptiveCard",
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "version": "1.4",
            "body": [_block(paragraph) for paragraph in re.split(r"\n{2,}", text) if paragraph],
            "actions": [_submit(button) for button in buttons],
        },
    }


def _block(paragraph: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": paragraph, "wrap": True}


def _submit(button: Button) -> dict[str, Any]:
    return {"type": "Action.Submit", "title": button.title, "data": {COMMAND_KEY: button.command}}


def root_entity(citations: Sequence[Citation], *, ai_label: bool) -> dict[str, Any]:
    """Return the entity that labels a message as AI-generated and has its citations.

    A message may have only one such root entity:
    https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bot-messages-ai-generated-content
    """
    return {
        "type": "https://schema.org/Message",
        "@type": "Message",
        "@context": "https://schema.org",
        **({"additionalType": ["AIGeneratedContent"]} if ai_label else {}),
        **({"citation": [_claim(citation) for citation in citations]} if citations else {}),
    }


def _citations(post: Post, markdown: str) -> list[Citation]:
    """Return the citations whose number is in a final text; none of a text that still changes."""
    if post.stage is not Stage.FINAL:
        return []
    in_text = [citation for citation in post.citations if f"[{citation.number}]" in markdown]
    return in_text[:MAX_CITATIONS]


def _claim(citation: Citation) -> dict[str, Any]:
    return {
        "@type": "Claim",
        "position": citation.number,
        "appearance": {
            "@type": "DigitalDocument",
            "name": _ellipsized(citation.name, NAME_LENGTH),
            "abstract": _ellipsized(citation.abstract, ABSTRACT_LENGTH),
            "image": {"@type": "ImageObject", "name": "Image"},
        },
    }


def _ellipsized(words: str, length: int) -> str:
    return words if len(words) <= length else f"{words[: boundary(words, length - 1)].rstrip()}…"


def _fit(markdown: str, max_bytes: int) -> str:
    """Return a text, cut at the end of a line with a note if it has more than `max_bytes`."""
    data = markdown.encode("utf-16-le", "surrogatepass")
    if len(data) <= max_bytes:
        return markdown
    head = data[: max_bytes - 2 * len(texts.CUT) - 4].decode("utf-16-le", "ignore")
    return f"{head[: head.rfind(chr(10)) + 1 or None].rstrip()}\n\n{texts.CUT}"
