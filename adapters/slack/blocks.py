"""A post as the blocks that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.chat.escape import disarm
from bot import strings as texts
from bot.ports.channel import Stage
from bot.text.graphemes import boundary

if TYPE_CHECKING:
    from bot.ports.channel import Button, Post

MAX_TEXT = 12_000
"""Most characters of all `markdown` blocks of a message:
https://docs.slack.dev/reference/block-kit/blocks/markdown-block
"""
MAX_BUTTONS = 25
MAX_TITLE = 75
MAX_VALUE = 2000
"""Limits of an `actions` block and its buttons, the lengths in characters:
https://docs.slack.dev/reference/block-kit/block-elements/button-element
"""
PRESSED = "loupe"
"""How the `action_id` of a button begins whose value is a command."""
FEEDBACK = "feedback"

Block = dict[str, Any]


def message(post: Post) -> dict[str, Any]:
    """Make the parts of a message that show a post; `text` is what notifications show."""
    shown = text(post)
    body = [markdown(shown)] if shown else []
    return {"text": shown, "blocks": [*body, *tail(post)]}


def text(post: Post) -> str:
    """Make the text of a post harmless, and cut it where it is too long for Slack."""
    return fit(disarm(post.text), MAX_TEXT)


def markdown(shown: str) -> Block:
    """Make the block of a text in standard Markdown."""
    return {"type": "markdown", "text": shown}


def tail(post: Post) -> list[Block]:
    """Make what stands below a text: buttons; of a whole answer, what it is and how it was."""
    blocks: list[Block] = []
    if post.buttons:
        elements = [_button(n, each) for n, each in enumerate(post.buttons[:MAX_BUTTONS])]
        blocks.append({"type": "actions", "elements": elements})
    if post.generated and post.stage is Stage.FINAL:
        blocks += [
            {"type": "context", "elements": [_plain(texts.SLACK_GENERATED)]},
            {"type": "context_actions", "elements": [_feedback()]},
        ]
    return blocks


def fit(shown: str, most: int) -> str:
    """Cut a text that is too long at the end of a line, and say so."""
    if len(shown) <= most:
        return shown
    kept = shown[: boundary(shown, most - len(texts.CUT) - 2)]
    return f"{kept[: kept.rfind(chr(10)) + 1 or None].rstrip()}\n\n{texts.CUT}"


def _button(number: int, button: Button) -> Block:
    return {
        "type": "button",
        "action_id": f"{PRESSED}:{number}",
        "text": _plain(button.title[:MAX_TITLE]),
        "value": button.command[:MAX_VALUE],
    }


def _feedback() -> Block:
    return {
        "type": "feedback_buttons",
        "action_id": FEEDBACK,
        "positive_button": {"text": _plain(texts.SLACK_GOOD), "value": "good"},
        "negative_button": {"text": _plain(texts.SLACK_BAD), "value": "bad"},
    }


def _plain(words: str) -> Block:
    return {"type": "plain_text", "text": words}
