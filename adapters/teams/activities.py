"""An activity of the Bot Framework as one message of ours: pure functions.

The shapes are those of the Bot Framework's activity schema and of Teams' additions to it:
https://github.com/microsoft/botframework-sdk/blob/main/specs/botframework-activity/botframework-activity.md
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from adapters.http.json_fields import dig, identifier, name
from adapters.teams.addresses import TEAMS, TeamsAddress
from adapters.teams.attachments import files, html_of
from adapters.teams.render import COMMAND_KEY
from adapters.teams.text import command, mentions_bot, quoted, words
from bot.domain.messages import Author, Message
from bot.domain.threads import Thread

if TYPE_CHECKING:
    from botbuilder.schema import Activity

    from adapters.teams.addresses import Scope

CARD_ACTION = "adaptiveCard/action"
FILE_CONSENT = "fileConsent/invoke"

_THREAD = ";messageid="
"""Parts the id of a Teams channel from that of the post that its thread hangs on."""

_SAME_MOMENT = 0.05
"""Seconds between a post and the time in its thread's id: the playground gives posts other ids."""


def read(activity: Activity) -> Message | None:
    """Read what somebody wrote or did; None for what needs no answer, such as a reaction."""
    if _is_own(activity):
        return None
    match activity.type:
        case "message":
            return _written(activity)
        case "invoke":
            return _invoked(activity)
        case "installationUpdate" if activity.action == "add":
            return _message(activity, kind="installed")
        case "conversationUpdate" if _added_elsewhere(activity):
            return _message(activity, kind="installed")
    return None


def tenant_of(activity: Activity) -> str:
    """Name the Microsoft 365 tenant that an activity says it is from; empty for none."""
    stated = dig(activity.channel_data, "tenant", "id")
    return identifier(stated) or identifier(_beside(activity.conversation, "tenantId"))


def scope_of(activity: Activity) -> Scope:
    """Return where in Teams an activity was sent; empty for every other channel."""
    if activity.channel_id != TEAMS:
        return ""
    match activity.conversation.conversation_type:
        case "channel":
            return "channel"
        case "groupChat":
            return "groupChat"
    return "groupChat" if activity.conversation.is_group is True else "personal"


def _written(activity: Activity) -> Message | None:
    pressed = command(activity.value)
    scope = scope_of(activity)
    html = html_of(activity)
    attachments = files(activity, html, in_company=scope in {"groupChat", "channel"})
    text = pressed or words(activity)
    if activity.value is not None and not text and not attachments:
        return None  # a button of somebody else's card
    return _message(
        activity,
        text=text,
        attachments=attachments,
        quoted=quoted(activity, html),
        addressed=bool(pressed) or scope in {"", "personal"} or _is_to_bot(activity),
    )


def _invoked(activity: Activity) -> Message | None:
    if activity.name == FILE_CONSENT and isinstance(activity.value, dict):
        message = _message(activity, kind="channel")
        return replace(message, address=replace(message.address, invoke=activity.value))
    if activity.name == CARD_ACTION:
        action = dig(activity.value, "action")
        pressed = command(dig(action, "data")) or command({COMMAND_KEY: dig(action, "verb")})
        return _message(activity, text=pressed) if pressed else None
    return None


def _message(activity: Activity, **what: Any) -> Message:
    """Fill in who, where and when."""
    thread = _thread(activity)
    at = activity.timestamp.timestamp() if activity.timestamp else time.time()
    return Message(
        id=identifier(activity.id),
        thread=thread,
        author=Author(_id(activity.from_property), _name(activity.from_property)),
        address=_address(activity, thread),
        shared=_is_shared(activity),
        opening=_opens(thread, activity, at),
        at=at,
        **what,
    )


def _thread(activity: Activity) -> Thread:
    """Name the thread; a post without a thread's id in its conversation begins one."""
    conversation, _, root = activity.conversation.id.partition(_THREAD)
    if scope_of(activity) != "channel":
        root = ""
    elif not root and activity.type == "message":
        root = identifier(activity.id)
    return Thread(activity.channel_id or "", tenant_of(activity), conversation, root)


def _address(activity: Activity, thread: Thread) -> TeamsAddress:
    """Note where to answer: the connector posts into the thread that the conversation id names."""
    conversation = activity.conversation.id
    if thread.root and _THREAD not in conversation:
        conversation += _THREAD + thread.root
    user = activity.from_property
    return TeamsAddress(
        service=activity.service_url or "",
        conversation=conversation,
        scope=scope_of(activity),
        channel=thread.channel,
        bot={"id": _id(activity.recipient), "name": _name(activity.recipient)},
        user={
            "id": _id(user),
            "name": _name(user),
            "aadObjectId": identifier(user and user.aad_object_id),
        },
        tenant=thread.tenant,
        team=identifier(dig(activity.channel_data, "team", "id")),
        activity=identifier(activity.id),
        locale=name(activity.locale)[:35],
    )


def _opens(thread: Thread, activity: Activity, at: float) -> bool:
    """Tell a new post from a reply in a thread."""
    root = thread.root
    if not root or root == activity.id:
        return True
    is_time = root.isdecimal() and len(root) <= 15
    return is_time and abs(int(root) / 1000 - at) < _SAME_MOMENT


def _is_own(activity: Activity) -> bool:
    """Return whether the bot itself wrote this."""
    sender = activity.from_property
    if sender is None:
        return False
    return sender.role == "bot" or "" != _id(sender) == _id(activity.recipient)


def _is_to_bot(activity: Activity) -> bool:
    targeted = _beside(activity.recipient, "isTargeted") is True
    return targeted or mentions_bot(activity)


def _is_shared(activity: Activity) -> bool:
    return scope_of(activity) in {"groupChat", "channel"} or activity.conversation.is_group is True


def _added_elsewhere(activity: Activity) -> bool:
    """Return whether the bot joined; Teams says so by an installationUpdate as well."""
    bot = _id(activity.recipient)
    joined = [_id(member) for member in activity.members_added]
    return activity.channel_id != TEAMS and bool(bot) and bot in joined


def _id(account: Any) -> str:
    return identifier(account.id) if account else ""


def _name(account: Any) -> str:
    return name(account.name) if account else ""


def _beside(account: Any, key: str) -> Any:
    """Read a field that botbuilder's schema does not know."""
    return account.additional_properties.get(key) if account else None
