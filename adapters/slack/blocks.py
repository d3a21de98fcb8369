"""Posts as Block Kit blocks."""

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
COMMAND_ACTION = "loupe"
"""The prefix of the `action_id` of a button whose value is a command."""
FEEDBACK = "feedback"

Block = dict[str, Any]


def message(post: Post) -> dict[str, Any]:
    """Return the arguments that show a post: its blocks, and `text` for notifications."""
    words = text(post)
    body = [markdown(words)] if words else []
    return {"text": words, "blocks": [*body, *tail(post)]}


def text(post: Post) -> str:
    """Return the text of a post without mentions, and cut to the length that Slack accepts."""
    return fit(disarm(post.text), MAX_TEXT)


def markdown(text: str) -> Block:
    """Return the block of a text in standard Markdown."""
    return {"type": "markdown", "text": text}


def tail(post: Post) -> list[Block]:
    """Return the blocks below a text: buttons, and for a whole answer its label and feedback."""
    blocks: list[Block] = []
    if post.buttons:
        elements = [_button(n, each) for n, each in enumerate(post.buttons[:MAX_BUTTONS])]
        blocks.append({"type": "actions", "elements": elements})
    if post.is_generated and post.stage is Stage.FINAL:
        blocks += [
            {"type": "context", "elements": [_plain(texts.SLACK_GENERATED)]},
            {"type": "context_actions", "elements": [_feedback()]},
        ]
    return blocks


def fit(text: str, most: int) -> str:
    """Return a text of at most so many characters, cut after a line and with a note if longer."""
    if len(text) <= most:
        return text
    start = text[: boundary(text, most - len(texts.CUT) - 2)]
    return f"{start[: start.rfind(chr(10)) + 1 or None].rstrip()}\n\n{texts.CUT}"


def _button(number: int, button: Button) -> Block:
    return {
        "type": "button",
        "action_id": f"{COMMAND_ACTION}:{number}",
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
