"""Transcripts as they are shown: `/json` and `/json full_transcript`, read out of messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.helpers.teams_chat import Chat


def parse_transcript(text: str) -> Any:
    """Read the JSON of a message that shows it as a code block."""
    head, _, rest = text.partition("```json\n")
    body, fence, tail = rest.rpartition("\n```")
    assert (head, fence, tail) == ("", "\n```", "")
    assert "```" not in body
    return json.loads(body)


def parse_full_transcript(blocks: list[str]) -> Any:
    """Put together what came as one object, or as parts with their places in it."""
    contents = [parse_transcript(block) for block in blocks]
    if isinstance(contents[0], dict):
        return contents[0]
    whole: dict[Any, Any] = {}
    for path, value in (part for parts in contents for part in parts):
        inner = whole
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = inner[path[-1]] + value if path[-1] in inner else value
    return _with_lists(whole)


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    items = {key: _with_lists(item) for key, item in value.items()}
    is_list = items and all(isinstance(key, int) for key in items)
    return [items[n] for n in range(len(items))] if is_list else items


async def full_transcript(chat: Chat) -> dict[str, Any]:
    """Read `/json full_transcript`, in the group chat's blocks or in one."""
    before = len(chat.texts)
    await chat.ask("/json full")
    whole: dict[str, Any] = parse_full_transcript(chat.texts[before:])
    return whole
