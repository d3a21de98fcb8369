"""Exceptions for the error codes with which Slack refuses calls.

The codes are listed on the page of each method, for example https://docs.slack.dev/reference/methods/chat.postMessage/.
"""

from __future__ import annotations

from adapters.chat.streaming import StreamEnded
from bot.ports.channel import ConversationGone, DeliveryRefused

NO_ACCESS = frozenset(
    {
        *("account_inactive", "invalid_auth", "not_authed", "team_access_not_granted"),
        *("token_expired", "token_revoked"),
    }
)
"""The app is no longer installed, so it can post nothing in that workspace."""

NO_POSTS = frozenset(
    {
        *("cannot_dm_bot", "channel_not_found", "is_archived", "messages_tab_disabled"),
        *("not_in_channel", "restricted_action", "restricted_action_non_threadable_channel"),
        *("restricted_action_read_only_channel", "restricted_action_thread_locked"),
        *("restricted_action_thread_only_channel", "thread_locked"),
    }
)
"""The conversation accepts no posts from the app."""

TOO_BIG = frozenset({"msg_blocks_too_long", "msg_too_long"})
NEVER_EDITABLE = frozenset({"cant_update_message", "edit_window_closed", "message_not_found"})
"""The message can never be edited again."""

THROTTLED = frozenset({"rate_limited", "ratelimited"})
"""The call was certainly not carried out, so even a post may be repeated."""

TEMPORARY = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
"""The call may have been carried out in part, so only repeatable calls are retried."""

OPENING = "chat.startStream"
POSTS = frozenset(
    {OPENING, "chat.postEphemeral", "chat.postMessage", "files.completeUploadExternal"}
)
"""Methods that add to a conversation; only their errors show whether it still exists."""


class SlackError(DeliveryRefused):
    """Slack refused a call with an HTTP status and an error code.

    `status` is 0 if there was no response; `after` is the requested wait in seconds.
    """

    def __init__(self, status: int, error: str = "", *, after: float = 0.0) -> None:
        super().__init__(f"{status} {error}".rstrip())
        self.status = status
        self.error = error
        self.after = after


class MessageTooLong(SlackError):
    """The message is longer than Slack accepts."""


class StreamExpired(SlackError, StreamEnded):
    """The message is no longer streaming; edits continue it."""


class StreamUnavailable(SlackError):
    """No stream can be opened there; a post and edits replace it."""


class StillStreaming(SlackError):
    """The message is still streaming, and its stream has to be stopped before an edit."""


_BY_CODE: dict[str, type[SlackError]] = {
    "message_not_in_streaming_state": StreamExpired,
    "streaming_state_conflict": StillStreaming,
}


def error_for(method: str, status: int, error: str) -> SlackError | ConversationGone:
    """Return the exception for a refused method, by its HTTP status and error code.

    Only a refused post means that the conversation is gone: an edit may be refused because of its
    message alone.
    """
    if error in NO_ACCESS or (error in NO_POSTS and method in POSTS):
        return ConversationGone(error)
    if error in TOO_BIG or status == 413:
        return MessageTooLong(status, error)
    if method == OPENING and status == 200 and error not in THROTTLED:
        return StreamUnavailable(status, error)
    return _BY_CODE.get(error, SlackError)(status, error)
