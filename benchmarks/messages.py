"""Messages as Teams and Slack deliver them."""

from __future__ import annotations

from typing import Any

TENANT = "72f988bf-0000-4000-8000-0000000000aa"
BOT = {"id": "28:loupe", "name": "Loupe"}
MENTION = "<at>Loupe</at> "
IMAGE = '<p><img alt="image" itemscope="image/jpeg" src="https://as.asm.skype.com/1"></p>'


def message(service: str, identity: str, where: dict[str, Any], *pictures: Any) -> dict[str, Any]:
    """Write a question in a conversation, with a mention where several people talk."""
    is_group = where["conversationType"] != "personal"
    text = f"{MENTION if is_group else ''}What is on the sign behind the red car?"
    twin = f"<p>{text}</p>{IMAGE * len(pictures)}"
    mentions = [{"type": "mention", "mentioned": BOT, "text": MENTION.strip()}] if is_group else []
    return {
        "type": "message",
        "id": identity,
        "timestamp": "2026-11-22T19:06:08.074Z",
        "localTimestamp": "2026-11-22T19:06:08.074+00:00",
        "localTimezone": "UTC",
        "serviceUrl": service,
        "channelId": "msteams",
        "from": {"id": "29:alex", "name": "Alex", "aadObjectId": "9f1c0a00"},
        "recipient": BOT,
        "conversation": where | {"tenantId": TENANT},
        "textFormat": "plain",
        "locale": "en-GB",
        "text": text,
        "attachments": [*pictures, {"contentType": "text/html", "content": twin}],
        "entities": [*mentions, {"type": "clientInfo", "locale": "en-GB", "timezone": "UTC"}],
        "channelData": {"tenant": {"id": TENANT}},
    }


def channel(thread: str) -> dict[str, Any]:
    """Name a thread in a channel."""
    place = f"19:channel@thread.tacv2;messageid={thread}"
    return {"id": place, "conversationType": "channel", "isGroup": True}


def group(name: str) -> dict[str, Any]:
    """Name a group chat."""
    return {"id": f"19:{name}@thread.v2", "conversationType": "groupChat", "isGroup": True}


def personal(name: str) -> dict[str, Any]:
    """Name a chat with one person."""
    return {"id": f"a:{name}", "conversationType": "personal"}


def slack_event(identity: str, thread: str) -> dict[str, Any]:
    """Write a question in a thread of a channel as Slack delivers it, with a mention."""
    return {
        "type": "event_callback",
        "team_id": "T1",
        "api_app_id": "A1",
        "event_id": f"Ev{identity}",
        "event_time": 1700000000,
        "authorizations": [{"team_id": "T1", "user_id": "UBOT", "is_bot": True}],
        "event": {
            "type": "message",
            "channel": "C1",
            "channel_type": "channel",
            "user": "UALEX",
            "team": "T1",
            "ts": f"1700000000.{identity}",
            "thread_ts": f"1700000000.{thread}",
            "text": "<@UBOT> What is on the sign behind the red car?",
            "event_ts": f"1700000000.{identity}",
        },
    }
