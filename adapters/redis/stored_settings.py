"""The format of the settings of a thread or a place in a Redis hash: one text field each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, get_args

from bot.domain.preferences import PendingSystemMessage, ThreadSettings, Watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.domain.preferences import SettingChanges

HINT_FIELD = "taught"


def decode(fields: Mapping[str, str]) -> ThreadSettings:
    """Read the fields of a hash; fields that are not set may be missing."""
    vision = fields.get("vision")
    return ThreadSettings(
        system=fields.get("system"),
        vision=None if vision is None else vision == "on",
        model=fields.get("model"),
        watch=_watch(fields.get("watch")),
        pending=_pending(fields.get("pending")),
        hint_message=fields.get(HINT_FIELD),
    )


def encode(changes: SettingChanges) -> tuple[dict[str, str], list[str]]:
    """Return the fields to write, and the names of the fields to remove."""
    fields: dict[str, str | None] = {}
    for name in ("system", "model", "watch"):
        if name in changes:
            fields[name] = changes[name]
    if "vision" in changes:
        fields["vision"] = _vision_text(changes["vision"])
    if "pending" in changes:
        fields["pending"] = _pending_text(changes["pending"])
    if "hint_message" in changes:
        fields[HINT_FIELD] = changes["hint_message"]
    values = {name: value for name, value in fields.items() if value is not None}
    return values, [name for name in fields if name not in values]


def _watch(text: str | None) -> Watch | None:
    return next((watch for watch in get_args(Watch) if watch == text), None)


def _vision_text(vision: bool | None) -> str | None:
    return None if vision is None else "on" if vision else "off"


def _pending(text: str | None) -> PendingSystemMessage | None:
    """Read `{"author": …, "text": …, "until": …}`, with `by` once it is settled."""
    if text is None:
        return None
    fields = json.loads(text)
    return PendingSystemMessage(
        author=fields["author"],
        text=fields["text"],
        expires=fields["until"],
        settled_by=fields.get("by", ""),
    )


def _pending_text(pending: PendingSystemMessage | None) -> str | None:
    if pending is None:
        return None
    settler = {"by": pending.settled_by} if pending.settled_by else {}
    fields = {"author": pending.author, "text": pending.text, "until": pending.expires}
    return json.dumps(settler | fields)
