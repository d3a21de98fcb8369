"""Bot Framework activities as messages: pure functions.

The fields are those of the Bot Framework's activity schema and of Teams' extensions to it:
https://github.com/microsoft/botframework-sdk/blob/main/specs/botframework-activity/botframework-activity.md
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from adapters.http.json_fields import dig, identifier, name
from adapters.teams.addresses import TEAMS, TeamsAddress
from adapters.teams.attachments import files, html_summary
from adapters.teams.text import COMMAND_KEY, command, mentions_bot, quoted_id, words
from bot.domain.messages import Author, Message
from bot.domain.threads import Thread

if TYPE_CHECKING:
    from botbuilder.schema import Activity

    from adapters.teams.addresses import Scope

CARD_ACTION = "adaptiveCard/action"
FILE_CONSENT = "fileConsent/invoke"

_THREAD = ";messageid="
"""Separates, in a conversation id, the id of a Teams channel from that of a thread's first post."""

_SAME_TIME = 0.05
"""Most seconds between a thread's first post and the time in the thread's id.

The playground gives that post another id, so that only the time shows what it is.
"""


def message_from(activity: Activity) -> Message | None:
    """Return the message in an activity; None if it needs no answer, such as a reaction."""
    if _is_own(activity):
        return None
    match activity.type:
        case "message":
            return _posted_message(activity)
        case "invoke":
            return _invoke_message(activity)
        case "installationUpdate" if activity.action == "add":
            return _message(activity, kind="installed")
        case "conversationUpdate" if _is_added_elsewhere(activity):
            return _message(activity, kind="installed")
    return None


def tenant_of(activity: Activity) -> str:
    """Return the Microsoft 365 tenant that an activity names; empty if there is none."""
    tenant = dig(activity.channel_data, "tenant", "id")
    return identifier(tenant) or identifier(_extra_field(activity.conversation, "tenantId"))


def scope_of(activity: Activity) -> Scope:
    """Return the kind of conversation in Teams; empty for all other channels."""
    if activity.channel_id != TEAMS:
        return ""
    match activity.conversation.conversation_type:
        case "channel":
            return "channel"
        case "groupChat":
            return "groupChat"
    return "groupChat" if activity.conversation.is_group is True else "personal"


def _posted_message(activity: Activity) -> Message | None:
    button_command = command(activity.value)
    scope = scope_of(activity)
    html = html_summary(activity)
    attachments = files(activity, html, in_shared_place=scope in {"groupChat", "channel"})
    text = button_command or words(activity)
    if activity.value is not None and not text and not attachments:
        return None  # A button of a card that is not ours.
    return _message(
        activity,
        text=text,
        attachments=attachments,
        quoted=quoted_id(activity, html),
        addressed=bool(button_command) or scope in {"", "personal"} or _is_to_bot(activity),
    )


def _invoke_message(activity: Activity) -> Message | None:
    if activity.name == FILE_CONSENT and isinstance(activity.value, dict):
        message = _message(activity, kind="channel")
        return replace(message, address=replace(message.address, invoke=activity.value))
    if activity.name == CARD_ACTION:
        action = dig(activity.value, "action")
        text = command(dig(action, "data")) or command({COMMAND_KEY: dig(action, "verb")})
        return _message(activity, text=text) if text else None
    return None


def _message(activity: Activity, **fields: Any) -> Message:
    """Return a message with the author, place and time of an activity."""
    thread = _thread(activity)
    at = activity.timestamp.timestamp() if activity.timestamp else time.time()
    return Message(
        id=identifier(activity.id),
        thread=thread,
        author=Author(_id(activity.from_property), _name(activity.from_property)),
        address=_address(activity, thread),
        shared=_is_shared(activity),
        opening=_is_opening(thread, activity, at),
        at=at,
        **fields,
    )


def _thread(activity: Activity) -> Thread:
    """Return the thread; a post whose conversation has no thread id begins one."""
    conversation, _, root = activity.conversation.id.partition(_THREAD)
    if scope_of(activity) != "channel":
        root = ""
    elif not root and activity.type == "message":
        root = identifier(activity.id)
    return Thread(activity.channel_id or "", tenant_of(activity), conversation, root)


def _address(activity: Activity, thread: Thread) -> TeamsAddress:
    """Return where to answer; the id of the conversation includes that of the thread."""
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


def _is_opening(thread: Thread, activity: Activity, at: float) -> bool:
    """Return whether a message is the first of its thread, not a reply."""
    root = thread.root
    if not root or root == activity.id:
        return True
    is_time = root.isdecimal() and len(root) <= 15
    return is_time and abs(int(root) / 1000 - at) < _SAME_TIME


def _is_own(activity: Activity) -> bool:
    """Return whether the bot itself is the sender."""
    sender = activity.from_property
    if sender is None:
        return False
    return sender.role == "bot" or "" != _id(sender) == _id(activity.recipient)


def _is_to_bot(activity: Activity) -> bool:
    is_targeted = _extra_field(activity.recipient, "isTargeted") is True
    return is_targeted or mentions_bot(activity)


def _is_shared(activity: Activity) -> bool:
    return scope_of(activity) in {"groupChat", "channel"} or activity.conversation.is_group is True


def _is_added_elsewhere(activity: Activity) -> bool:
    """Return whether the bot was added outside Teams, which sends an installationUpdate too."""
    bot = _id(activity.recipient)
    members = [_id(member) for member in activity.members_added]
    return activity.channel_id != TEAMS and bool(bot) and bot in members


def _id(account: Any) -> str:
    return identifier(account.id) if account else ""


def _name(account: Any) -> str:
    return name(account.name) if account else ""


def _extra_field(account: Any, key: str) -> Any:
    """Return a field that botbuilder's schema does not have."""
    return account.additional_properties.get(key) if account else None
