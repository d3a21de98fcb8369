"""What Slack delivers: its kind, and whether it has the shape that Bolt can stand.

Bolt reads fields of a request before any of its listeners runs, and trusts their types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from adapters.http.json_fields import ID_LENGTH, dig
from adapters.http.request_body import MalformedBody

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["event", "slash", "button", "shortcut", "challenge", "other"]
"""`challenge`: Slack asks whether the address is ours; `other`: nothing that Loupe acts on."""

NEEDED: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "event": (("event_id",), ("event", "type")),
    "slash": (("command",), ("channel_id",), ("user_id",), ("team_id",), ("trigger_id",)),
    "button": (("trigger_id",), ("user", "id")),
    "shortcut": (("trigger_id",), ("user", "id"), ("channel", "id"), ("callback_id",)),
    "challenge": (("challenge",),),
    "other": (),
}
"""The ids and names that a delivery of each kind has, by the keys that lead to them."""

_KINDS: dict[str, Kind] = {
    "event_callback": "event",
    "block_actions": "button",
    "message_action": "shortcut",
    "url_verification": "challenge",
}


def kind_of(payload: Mapping[str, Any]) -> Kind:
    """Return what a delivery is; raises `MalformedBody` naming the field that is wrong."""
    kind = _kind(payload)
    for keys in NEEDED[kind]:
        value = dig(payload, *keys)
        if not isinstance(value, str) or not 0 < len(value) <= ID_LENGTH:
            raise MalformedBody(f"{'.'.join(keys)} is missing or no name")
    if not isinstance(payload.get("event", {}), dict):
        raise MalformedBody("event is no object")
    if kind == "button":
        _check_actions(payload.get("actions"))
    return kind


def _kind(payload: Mapping[str, Any]) -> Kind:
    stated = payload.get("type")
    if isinstance(stated, str) and stated:
        return _KINDS.get(stated, "other")
    if "command" in payload and stated is None:
        return "slash"
    if "ssl_check" in payload:
        return "other"
    raise MalformedBody("the delivery has no type")


def _check_actions(actions: Any) -> None:
    listed = isinstance(actions, list) and bool(actions)
    if not listed or not all(isinstance(dig(one, "action_id"), str) for one in actions):
        raise MalformedBody("actions do not list actions")
