"""Adaptive Cards: a text with buttons below it.

https://adaptivecards.io/explorer/ and
https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-reference
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.ports.channel import Button

CARD_TYPE = "application/vnd.microsoft.card.adaptive"
COMMAND = "loupe"
"""The key of a button's data that holds the command it sends."""


def card(text: str, buttons: Sequence[Button]) -> dict[str, Any]:
    """Make the attachment that shows a text, a block for each paragraph, and its buttons."""
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
    return {"type": "Action.Submit", "title": button.title, "data": {COMMAND: button.command}}
