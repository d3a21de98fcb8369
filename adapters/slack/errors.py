"""What Slack says when it does not do what it is asked, as exceptions.

The words are those of each method's page, as https://docs.slack.dev/reference/methods/chat.postMessage/.
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
"""The app is no longer installed: nothing can be said in that workspace."""

GONE = frozenset(
    {
        *("cannot_dm_bot", "channel_not_found", "is_archived", "messages_tab_disabled"),
        *("not_in_channel", "restricted_action", "restricted_action_non_threadable_channel"),
        *("restricted_action_read_only_channel", "restricted_action_thread_locked"),
        *("restricted_action_thread_only_channel", "thread_locked"),
    }
)
"""The conversation takes no posts of the app."""

TOO_BIG = frozenset({"msg_blocks_too_long", "msg_too_long"})
LASTING = frozenset({"cant_update_message", "edit_window_closed", "message_not_found"})
"""That message can never be edited again."""

THROTTLED = frozenset({"rate_limited", "ratelimited"})
"""Surely not carried out: even a post may be repeated."""

TEMPORARY = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
"""Perhaps carried out, at least in part: only calls that may be made twice are repeated."""

OPENING = "chat.startStream"
POSTS = frozenset(
    {OPENING, "chat.postEphemeral", "chat.postMessage", "files.completeUploadExternal"}
)
"""Methods that put something new into a conversation, and so tell whether it is still there."""


class SlackError(DeliveryRefused):
    """Slack refused a call; `status` is HTTP's, 0 when it was not reached; `error` its word.

    `after` are the seconds for which it wants to be left alone.
    """

    def __init__(self, status: int, error: str = "", *, after: float = 0.0) -> None:
        super().__init__(f"{status} {error}".rstrip())
        self.status = status
        self.error = error
        self.after = after


class MessageTooLong(SlackError):
    """The message is larger than Slack takes."""


class StreamExpired(SlackError, StreamEnded):
    """The message streams no more; it goes on by edits."""


class StreamUnavailable(SlackError):
    """No stream is to be had there; a post and edits do."""


class StillStreaming(SlackError):
    """The message is still streaming: the stream has to be stopped before an edit."""


_BY_WORD: dict[str, type[SlackError]] = {
    "message_not_in_streaming_state": StreamExpired,
    "streaming_state_conflict": StillStreaming,
}


def refusal(method: str, status: int, error: str) -> SlackError | ConversationGone:
    """Name an answer that is no success, by method, HTTP status and Slack's word.

    Only a post tells that a conversation is gone; an edit may be refused for its message alone.
    """
    if error in NO_ACCESS or (error in GONE and method in POSTS):
        return ConversationGone(error)
    if error in TOO_BIG or status == 413:
        return MessageTooLong(status, error)
    if method == OPENING and status == 200 and error not in THROTTLED:
        return StreamUnavailable(status, error)
    return _BY_WORD.get(error, SlackError)(status, error)
