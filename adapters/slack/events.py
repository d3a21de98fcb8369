"""Slack's events as messages: pure functions.

The formats are described at https://docs.slack.dev/reference/events/.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from adapters.http.json_fields import dig, identifier, string
from adapters.slack.addresses import (
    TOP,
    VISIBLE,
    BackgroundTask,
    QuietPost,
    SlackAddress,
    VisiblePost,
    is_shared,
    root_of,
    thread_of,
)
from adapters.slack.attachments import files_of
from adapters.slack.text import plain_text
from bot.domain.messages import Author, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.slack.workspaces import Workspace
    from bot.domain.messages import Attachment, Kind

POST_SUBTYPES = frozenset({"", "file_share", "me_message", "thread_broadcast"})
"""Subtypes of messages that people write; the others report changes of a channel."""

SLACKBOT = "USLACKBOT"
"""Slack's own bot, whose posts look like those of a person."""


def read_event(
    payload: Mapping[str, Any], workspace: Workspace, reaction: str = ""
) -> Message | None:
    """Return the message of an `event_callback`; None if it needs no answer.

    `reaction` is the name of the emoji that asks Loupe to look at a post. An event that needs a
    call to Slack becomes a message of kind `channel`, whose address names the task.
    """
    event = payload.get("event")
    if not isinstance(event, dict):
        return None
    return _Event(payload, event, workspace, reaction).message()


def read_post(post: Mapping[str, Any], workspace: Workspace, version: str = "") -> Message | None:
    """Return the message that a person wrote; None if a program or Slack itself posted it.

    `post` is a `message` or `app_mention` event, or a stored message with its `channel` added.
    The two events of one post return the same message.
    """
    channel, ts, user = (identifier(post.get(key)) for key in ("channel", "ts", "user"))
    if not (channel and ts and user) or user in {SLACKBOT, workspace.bot_user}:
        return None
    if post.get("bot_id"):
        return None
    if string(post.get("subtype")) not in POST_SUBTYPES:
        return None
    root, text = root_of(post), string(post.get("text"))
    home = identifier(post.get("user_team")) or identifier(post.get("team"))
    home = "" if home == workspace.team else home
    return Message(
        id=ts,
        thread=thread_of(workspace.team, channel, root),
        author=Author(user),
        text=plain_text(text, workspace.bot_user),
        attachments=files_of(post),
        address=SlackAddress(workspace.team, channel, root, user, home=home),
        version=version or identifier(dig(post, "edited", "ts")),
        addressed=not is_shared(channel) or _mentions_bot(workspace, text),
        shared=is_shared(channel),
        opening=root == ts,
        at=_epoch_seconds(ts),
    )


def read_pictures(post: Mapping[str, Any], workspace: Workspace) -> Message | None:
    """Return a post with its pictures and videos, also if a program posted it.

    None if it has none, or is Loupe's own. `post` is as for `read_post`.
    """
    bot, own_ids = post.get("bot_id"), {workspace.bot_user, workspace.bot_id}
    if {string(bot), string(post.get("user"))} & (own_ids - {""}):
        return None
    user_post = {**post, "user": post.get("user") or bot, "bot_id": None}
    if post.get("subtype") == "bot_message":
        del user_post["subtype"]
    message = read_post(user_post, workspace)
    if message is None:
        return None
    files = tuple(filter(_may_be_picture, message.attachments))
    return replace(message, attachments=files) if files else None


def _may_be_picture(file: Attachment) -> bool:
    """Return whether a file may be a picture or a video; the type of a stub is not known yet."""
    return not file.declared or file.declared.startswith(("image/", "video/"))


def _mentions_bot(workspace: Workspace, text: str) -> bool:
    bot = workspace.bot_user
    return bool(bot) and (f"<@{bot}>" in text or f"<@{bot}|" in text)


def _epoch_seconds(ts: str) -> float:
    """Return the seconds since the epoch of a time stamp; a counter follows the point."""
    seconds = ts.partition(".")[0]
    is_number = seconds.isascii() and seconds.isdigit() and len(seconds) <= 11
    return float(seconds) if is_number else time.time()


class _Event:
    """An event with the id of its delivery and its workspace."""

    def __init__(
        self,
        payload: Mapping[str, Any],
        event: dict[str, Any],
        workspace: Workspace,
        reaction: str,
    ) -> None:
        self._id = identifier(payload.get("event_id"))
        self._event = event
        self._workspace = workspace
        self._reaction = reaction

    def message(self) -> Message | None:
        """Return the message of the event, by its type."""
        readers: dict[str, Callable[[], Message | None]] = {
            "message": self._message,
            "app_mention": lambda: read_post(self._event, self._workspace),
            "member_joined_channel": self._joined,
            "agent_session_stopped": self._stopped,
            "reaction_added": self._reacted,
            "app_home_opened": self._opened,
            "assistant_thread_started": self._started,
            "app_uninstalled": self._uninstalled,
            "tokens_revoked": self._revoked,
            "channel_left": self._left,
            "group_left": self._left,
        }
        reader = readers.get(string(self._event.get("type")))
        return reader() if reader else None

    def _message(self) -> Message | None:
        match self._event.get("subtype"):
            case "message_changed":
                return self._changed()
            case "message_deleted":
                return self._deleted(self._event.get("deleted_ts"))
        return read_post(self._event, self._workspace)

    def _changed(self) -> Message | None:
        """Return an edit; None if Slack changed the post itself, as when it unfurls a link.

        A question whose mention was edited away was addressed to Loupe, and remains so.
        """
        new, old = self._event.get("message"), self._event.get("previous_message")
        if not isinstance(new, dict):
            return None
        if new.get("subtype") == "tombstone":
            return self._deleted(new.get("ts"))
        version = identifier(dig(new, "edited", "ts"))
        if not version or (isinstance(old, dict) and _content(new) == _content(old)):
            return None
        message = read_post({**new, "channel": self._channel}, self._workspace, version)
        if message and _mentions_bot(self._workspace, string(dig(old, "text"))):
            return replace(message, addressed=True)
        return message

    def _deleted(self, ts: Any) -> Message | None:
        """Return the deletion of a post; None if a program wrote it, which Loupe never answered."""
        old, post_ts = self._event.get("previous_message"), identifier(ts)
        old = old if isinstance(old, dict) else {}
        if not post_ts or old.get("bot_id") or old.get("user") == self._workspace.bot_user:
            return None
        root = identifier(old.get("thread_ts")) or post_ts
        return self._message_of("deleted", root, identifier(old.get("user")), post_ts=post_ts)

    def _joined(self) -> Message | None:
        if self._event.get("user") != self._workspace.bot_user:
            return None
        return self._message_of("installed", TOP, identifier(self._event.get("inviter")))

    def _stopped(self) -> Message | None:
        """Return `/stop` for Slack's own Stop button, whose effect needs no message."""
        root = identifier(self._event.get("thread_ts"))
        user = identifier(self._event.get("user"))
        if not root:
            return None
        return self._message_of(
            "message", root, user, text="/stop", opening=False, delivery=QuietPost()
        )

    def _reacted(self) -> Message | None:
        item = self._event.get("item")
        if dig(item, "type") != "message" or not self._asks_for_look():
            return None
        post, user = identifier(dig(item, "ts")), identifier(self._event.get("user"))
        if not post:
            return None
        task = BackgroundTask("reaction", post=post)
        return self._message_of("channel", post, user, identifier(dig(item, "channel")), task=task)

    def _asks_for_look(self) -> bool:
        """Return whether the reaction, in any skin tone, asks for a look at a post not Loupe's."""
        emoji = string(self._event.get("reaction")).partition("::")[0]
        is_own = self._event.get("item_user") == self._workspace.bot_user
        return bool(self._reaction) and emoji == self._reaction and not is_own

    def _opened(self) -> Message | None:
        if self._event.get("tab") != "messages":
            return None
        task = BackgroundTask("prompts")
        return self._message_of("channel", TOP, identifier(self._event.get("user")), task=task)

    def _started(self) -> Message | None:
        about = self._event.get("assistant_thread")
        channel, root, user = (
            identifier(dig(about, key)) for key in ("channel_id", "thread_ts", "user_id")
        )
        task = BackgroundTask("prompts", thread=root)
        return self._message_of("channel", root or TOP, user, channel, task=task)

    def _uninstalled(self) -> Message | None:
        """Return that the app was uninstalled; the team's id takes the place of a channel's."""
        task = BackgroundTask("uninstalled")
        return self._message_of("channel", TOP, "", self._workspace.team, task=task)

    def _revoked(self) -> Message | None:
        bots = dig(self._event, "tokens", "bot")
        ours = isinstance(bots, list) and self._workspace.bot_user in bots
        return self._uninstalled() if ours else None

    def _left(self) -> Message | None:
        return self._message_of("channel", TOP, "", task=BackgroundTask("left"))

    @property
    def _channel(self) -> str:
        return identifier(self._event.get("channel"))

    def _message_of(
        self,
        kind: Kind,
        root: str,
        user: str,
        channel: str = "",
        *,
        text: str = "",
        post_ts: str = "",
        opening: bool = True,
        delivery: QuietPost | VisiblePost = VISIBLE,
        task: BackgroundTask | None = None,
    ) -> Message | None:
        """Return the message of an event that is not a post; None if it names no channel."""
        channel, team = channel or self._channel, self._workspace.team
        if not channel:
            return None
        below = "" if root == TOP else root
        return Message(
            id=self._id,
            thread=thread_of(team, channel, root),
            author=Author(user),
            text=text,
            address=SlackAddress(team, channel, below, user, delivery, task=task),
            kind=kind,
            shared=is_shared(channel),
            opening=opening,
            quoted=post_ts,
            at=_epoch_seconds(string(self._event.get("event_ts"))),
        )


def _content(post: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what an edit can change: the text and the files."""
    return string(post.get("text")), [file.source.get("id") for file in files_of(post)]
