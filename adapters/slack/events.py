"""An event of Slack as one message of ours: pure functions.

The shapes are those of https://docs.slack.dev/reference/events/.
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
from adapters.slack.text import words
from bot.domain.messages import Author, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adapters.slack.workspaces import Workspace
    from bot.domain.messages import Attachment, Kind

WRITTEN = frozenset({"", "file_share", "me_message", "thread_broadcast"})
"""Subtypes of messages that a person wrote; the others are notes about a channel."""

SLACKBOT = "USLACKBOT"
"""Slack's own bot, which writes like a person."""


def read(payload: Mapping[str, Any], workspace: Workspace, reaction: str = "") -> Message | None:
    """Read an `event_callback`; None for what needs no answer.

    `reaction` is the name of the emoji that asks for a look. What needs a call to Slack comes as
    a message of kind `channel`, whose address names the task.
    """
    event = payload.get("event")
    if not isinstance(event, dict):
        return None
    return _Event(payload, event, workspace, reaction).read()


def posted(post: Mapping[str, Any], workspace: Workspace, version: str = "") -> Message | None:
    """Read what a person wrote; None for what a program or Slack itself did.

    `post` is a `message` or `app_mention` event, or a stored message with its `channel` added.
    Both events of one post read alike.
    """
    channel, ts, user = (identifier(post.get(key)) for key in ("channel", "ts", "user"))
    if not (channel and ts and user) or user in {SLACKBOT, workspace.bot_user}:
        return None
    if post.get("bot_id"):
        return None
    if string(post.get("subtype")) not in WRITTEN:
        return None
    root, text = root_of(post), string(post.get("text"))
    home = identifier(post.get("user_team")) or identifier(post.get("team"))
    home = "" if home == workspace.team else home
    return Message(
        id=ts,
        thread=thread_of(workspace.team, channel, root),
        author=Author(user),
        text=words(text, workspace.bot_user),
        attachments=files_of(post),
        address=SlackAddress(workspace.team, channel, root, user, home=home),
        version=version or identifier(dig(post, "edited", "ts")),
        addressed=not is_shared(channel) or _calls(workspace, text),
        shared=is_shared(channel),
        opening=root == ts,
        at=_seconds(ts),
    )


def pictured(post: Mapping[str, Any], workspace: Workspace) -> Message | None:
    """Read a post with its pictures and videos, whoever or whatever made it.

    None for one without, and for one of Loupe's own. `post` is as `posted` takes it.
    """
    maker, own = post.get("bot_id"), {workspace.bot_user, workspace.bot_id}
    if {string(maker), string(post.get("user"))} & (own - {""}):
        return None
    written = {**post, "user": post.get("user") or maker, "bot_id": None}
    if post.get("subtype") == "bot_message":
        del written["subtype"]
    message = posted(written, workspace)
    if message is None:
        return None
    files = tuple(filter(_may_show, message.attachments))
    return replace(message, attachments=files) if files else None


def _may_show(file: Attachment) -> bool:
    """Return whether a file may be a picture or a video; of stubs nobody knows yet."""
    return not file.declared or file.declared.startswith(("image/", "video/"))


def _calls(workspace: Workspace, text: str) -> bool:
    bot = workspace.bot_user
    return bool(bot) and (f"<@{bot}>" in text or f"<@{bot}|" in text)


def _seconds(ts: str) -> float:
    """Read a time stamp, which is seconds since the epoch with a counter behind the point."""
    whole = ts.partition(".")[0]
    genuine = whole.isascii() and whole.isdigit() and len(whole) <= 11
    return float(whole) if genuine else time.time()


class _Event:
    """An event with what came around it."""

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

    def read(self) -> Message | None:
        """Read the event by its type."""
        readers: dict[str, Callable[[], Message | None]] = {
            "message": self._message,
            "app_mention": lambda: posted(self._event, self._workspace),
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
        return posted(self._event, self._workspace)

    def _changed(self) -> Message | None:
        """Read an edit; Slack also changes posts by itself, when it unfurls a link or so.

        A question whose mention was edited away was Loupe's when it was asked, and stays so.
        """
        new, old = self._event.get("message"), self._event.get("previous_message")
        if not isinstance(new, dict):
            return None
        if new.get("subtype") == "tombstone":
            return self._deleted(new.get("ts"))
        version = identifier(dig(new, "edited", "ts"))
        if not version or (isinstance(old, dict) and _content(new) == _content(old)):
            return None
        message = posted({**new, "channel": self._channel}, self._workspace, version)
        if message and _calls(self._workspace, string(dig(old, "text"))):
            return replace(message, addressed=True)
        return message

    def _deleted(self, ts: Any) -> Message | None:
        """Read that a post is gone; a post of ours or another program's asked for nothing."""
        old, gone = self._event.get("previous_message"), identifier(ts)
        old = old if isinstance(old, dict) else {}
        if not gone or old.get("bot_id") or old.get("user") == self._workspace.bot_user:
            return None
        root = identifier(old.get("thread_ts")) or gone
        return self._said("deleted", root, identifier(old.get("user")), quoted=gone)

    def _joined(self) -> Message | None:
        if self._event.get("user") != self._workspace.bot_user:
            return None
        return self._said("installed", TOP, identifier(self._event.get("inviter")))

    def _stopped(self) -> Message | None:
        """Read Slack's own Stop button as the command; who pressed it sees that it worked."""
        root = identifier(self._event.get("thread_ts"))
        user = identifier(self._event.get("user"))
        if not root:
            return None
        return self._said("message", root, user, text="/stop", opening=False, delivery=QuietPost())

    def _reacted(self) -> Message | None:
        item = self._event.get("item")
        if dig(item, "type") != "message" or not self._asks():
            return None
        post, user = identifier(dig(item, "ts")), identifier(self._event.get("user"))
        if not post:
            return None
        task = BackgroundTask("reaction", post=post)
        return self._said("channel", post, user, identifier(dig(item, "channel")), task=task)

    def _asks(self) -> bool:
        """Return whether the reaction, in any skin tone, asks for a look at a person's post."""
        given = string(self._event.get("reaction")).partition("::")[0]
        own = self._event.get("item_user") == self._workspace.bot_user
        return bool(self._reaction) and given == self._reaction and not own

    def _opened(self) -> Message | None:
        if self._event.get("tab") != "messages":
            return None
        task = BackgroundTask("prompts")
        return self._said("channel", TOP, identifier(self._event.get("user")), task=task)

    def _started(self) -> Message | None:
        about = self._event.get("assistant_thread")
        channel, root, user = (
            identifier(dig(about, key)) for key in ("channel_id", "thread_ts", "user_id")
        )
        task = BackgroundTask("prompts", thread=root)
        return self._said("channel", root or TOP, user, channel, task=task)

    def _uninstalled(self) -> Message | None:
        """Read that the app is gone from the workspace, which is no matter of one channel."""
        task = BackgroundTask("uninstalled")
        return self._said("channel", TOP, "", self._workspace.team, task=task)

    def _revoked(self) -> Message | None:
        bots = dig(self._event, "tokens", "bot")
        ours = isinstance(bots, list) and self._workspace.bot_user in bots
        return self._uninstalled() if ours else None

    def _left(self) -> Message | None:
        return self._said("channel", TOP, "", task=BackgroundTask("left"))

    @property
    def _channel(self) -> str:
        return identifier(self._event.get("channel"))

    def _said(
        self,
        kind: Kind,
        root: str,
        user: str,
        channel: str = "",
        *,
        text: str = "",
        quoted: str = "",
        opening: bool = True,
        delivery: QuietPost | VisiblePost = VISIBLE,
        task: BackgroundTask | None = None,
    ) -> Message | None:
        """Make a message of what is no post; None where it names no channel."""
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
            quoted=quoted,
            at=_seconds(string(self._event.get("event_ts"))),
        )


def _content(post: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what an edit changes: the words and the files."""
    return string(post.get("text")), [file.source.get("id") for file in files_of(post)]
