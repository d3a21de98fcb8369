"""JSON to botbuilder's schema: only the fields that Loupe uses, in a tenth of the time.

botbuilder's deserializer collects every class of the schema and visits every field for each
activity, which takes longer than all the rest of a delivery; see benchmarks/.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

from botbuilder.schema import Activity, Attachment, ChannelAccount, ConversationAccount, Entity

from adapters.http.request_body import MalformedBody

T = TypeVar("T", str, bool, dict[str, Any], list[Any])

MAX_ITEMS = 1000
"""Most items that are read of each list; a genuine activity has a few dozen."""

_ACCOUNT = frozenset({"id", "name", "aadObjectId", "role"})
_CONVERSATION = frozenset({"id", "name", "conversationType", "isGroup"})
_ATTACHMENT = frozenset({"contentType", "contentUrl", "content", "name"})


def activity_from(data: dict[str, Any]) -> Activity:
    """Return an activity; raises `MalformedBody` for a field of the wrong type.

    Fields that the schema does not have are in `additional_properties` of their object, as in
    botbuilder. `channel_data`, `value` and `content` are JSON of any shape.
    """
    return Activity(
        type=_typed(data, "type", str),
        id=_typed(data, "id", str),
        timestamp=_time(data),
        service_url=_typed(data, "serviceUrl", str),
        channel_id=_typed(data, "channelId", str),
        from_property=_account(data, "from"),
        recipient=_account(data, "recipient"),
        conversation=_conversation(data),
        text=_typed(data, "text", str),
        text_format=_typed(data, "textFormat", str),
        locale=_typed(data, "locale", str),
        attachments=[_attachment(one) for one in _objects(data, "attachments")],
        entities=[_entity(one) for one in _objects(data, "entities")],
        members_added=[_channel_account(one) for one in _objects(data, "membersAdded")],
        name=_typed(data, "name", str),
        action=_typed(data, "action", str),
        delivery_mode=_typed(data, "deliveryMode", str),
        channel_data=data.get("channelData"),
        value=data.get("value"),
    )


def _typed(data: dict[str, Any], key: str, kind: type[T]) -> T | None:
    value = data.get(key)
    if value is None or isinstance(value, kind):
        return value
    raise MalformedBody(f"{key} has the wrong type")


def _objects(data: dict[str, Any], key: str) -> list[dict[str, Any]]:
    items = (_typed(data, key, list) or [])[:MAX_ITEMS]
    if all(isinstance(item, dict) for item in items):
        return items
    raise MalformedBody(f"{key} does not list objects")


def _time(data: dict[str, Any]) -> datetime | None:
    """Return the timestamp (ISO 8601), which is UTC unless it has an offset."""
    timestamp = _typed(data, "timestamp", str)
    try:
        time = datetime.fromisoformat(timestamp) if timestamp else None
    except ValueError:
        raise MalformedBody("timestamp is not a time") from None
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time


def _account(data: dict[str, Any], key: str) -> ChannelAccount | None:
    account = _typed(data, key, dict)
    return None if account is None else _channel_account(account)


def _channel_account(data: dict[str, Any]) -> ChannelAccount:
    account = ChannelAccount(
        id=_typed(data, "id", str),
        name=_typed(data, "name", str),
        aad_object_id=_typed(data, "aadObjectId", str),
        role=_typed(data, "role", str),
    )
    account.additional_properties = _others(data, _ACCOUNT)
    return account


def _conversation(data: dict[str, Any]) -> ConversationAccount | None:
    fields = _typed(data, "conversation", dict)
    if fields is None:
        return None
    conversation = ConversationAccount(
        id=_typed(fields, "id", str),
        name=_typed(fields, "name", str),
        conversation_type=_typed(fields, "conversationType", str),
        is_group=_typed(fields, "isGroup", bool),
    )
    conversation.additional_properties = _others(fields, _CONVERSATION)
    return conversation


def _attachment(data: dict[str, Any]) -> Attachment:
    attachment = Attachment(
        content_type=_typed(data, "contentType", str),
        content_url=_typed(data, "contentUrl", str),
        content=data.get("content"),
        name=_typed(data, "name", str),
    )
    attachment.additional_properties = _others(data, _ATTACHMENT)
    return attachment


def _entity(data: dict[str, Any]) -> Entity:
    entity = Entity(type=_typed(data, "type", str))
    entity.additional_properties = _others(data, frozenset({"type"}))
    return entity


def _others(data: dict[str, Any], schema_keys: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in schema_keys}
