"""What Slack's Web API takes, and how often.

https://docs.slack.dev/reference/block-kit/ and https://docs.slack.dev/apis/web-api/rate-limits/
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict, deque
from typing import Any

MOST_TEXT = 12_000
"""Characters of all `markdown` blocks of a message, and of one piece of a stream."""
MOST_PLAIN = 40_000
"""Characters of `text`."""
MOST_BLOCKS = 50
BLOCK_TYPES = {"actions", "context", "context_actions", "divider", "markdown", "section"}
LIVE = re.compile(r"<[!@#][A-Za-z]|<https?:")
"""What Slack would make a mention or a link of."""

Block = dict[str, Any]


def blocks_of(form: dict[str, str]) -> list[Block]:
    """The blocks of a call."""
    blocks: list[Block] = json.loads(form.get("blocks", "[]"))
    return blocks


def words_of(blocks: list[Block]) -> str:
    """What people read of them."""
    return "".join(block["text"] for block in blocks if block["type"] == "markdown")


def wrong(form: dict[str, str]) -> str:
    """The error that a message is refused with; empty for a good one."""
    blocks = blocks_of(form)
    if not form.get("text") and not blocks:
        return "no_text"
    if len(form.get("text", "")) > MOST_PLAIN:
        return "msg_too_long"
    return wrong_blocks(blocks)


def wrong_blocks(blocks: list[Block]) -> str:
    """The error that blocks are refused with."""
    if len(words_of(blocks)) > MOST_TEXT:
        return "msg_blocks_too_long"
    elements = [each for block in blocks for each in block.get("elements", ())]
    actions = [each["action_id"] for each in elements if "action_id" in each]
    bad = (
        len(blocks) > MOST_BLOCKS,
        any(block["type"] not in BLOCK_TYPES for block in blocks),
        len(set(actions)) < len(actions),
        any(not _fits(each) for each in elements if each["type"] == "button"),
        any(block["type"] == "actions" and len(block["elements"]) > 25 for block in blocks),
    )
    return "invalid_blocks" if any(bad) else ""


def _fits(button: Block) -> bool:
    title, value = button["text"]["text"], button["value"]
    return 0 < len(title) <= 75 and len(value) <= 2_000 and len(button["action_id"]) <= 255


class Rates:
    """Counts calls as Slack does, once it is strict."""

    def __init__(self) -> None:
        self.strict = False
        self.refusals: list[str] = []
        self._calls: dict[tuple[str, ...], deque[float]] = defaultdict(deque)

    def wait(self, method: str, channel: str) -> float:
        """Seconds for which a call is refused; 0 where it is taken, and then it counts."""
        if not self.strict or method not in MOST:
            return 0.0
        most, seconds = MOST[method]
        now, calls = time.monotonic(), self._calls[(method, channel if most == 1 else "")]
        while calls and calls[0] <= now - seconds:
            calls.popleft()
        if len(calls) < most:
            calls.append(now)
            return 0.0
        self.refusals.append(method)
        return calls[0] + seconds - now


MOST = {
    "chat.postMessage": (1, 1.0),
    "chat.startStream": (20, 60.0),
    "chat.stopStream": (20, 60.0),
    "chat.update": (50, 60.0),
    "agents.sessions.setStatus": (50, 60.0),
    "conversations.replies": (50, 60.0),
    "chat.appendStream": (100, 60.0),
    "users.info": (100, 60.0),
    "files.info": (100, 60.0),
}
"""Calls of a method within so many seconds; a post counts by its channel."""
