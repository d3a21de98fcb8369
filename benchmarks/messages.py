"""Messages as Teams delivers them."""

from __future__ import annotations

from typing import Any

TENANT = "72f988bf-0000-4000-8000-0000000000aa"
BOT = {"id": "28:loupe", "name": "Loupe"}
MENTION = "<at>Loupe</at> "
IMAGE = '<p><img alt="image" itemscope="image/jpeg" src="https://as.asm.skype.com/1"></p>'


def message(service: str, identity: str, where: dict[str, Any], *pictures: Any) -> dict[str, Any]:
    """Write a question in a conversation, with a mention where several people talk."""
    shared = where["conversationType"] != "personal"
    text = f"{MENTION if shared else ''}What is on the sign behind the red car?"
    twin = f"<p>{text}</p>{IMAGE * len(pictures)}"
    mentions = [{"type": "mention", "mentioned": BOT, "text": MENTION.strip()}] if shared else []
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
