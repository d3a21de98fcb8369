"""Buttons, the message shortcut and `/loupe` as messages: pure functions.

The formats are described at https://docs.slack.dev/reference/interaction-payloads/ and, for the
slash command, at https://docs.slack.dev/interactivity/implementing-slash-commands/.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from adapters.http.json_fields import button_command, dig, identifier, name, string
from adapters.slack.addresses import (
    TOP,
    PrivatePost,
    SlackAddress,
    VisiblePost,
    is_shared,
    permalink,
    root_of,
    thread_of,
)
from adapters.slack.attachments import files_of
from adapters.slack.text import plain_text, unescape
from bot import strings as texts
from bot.domain.commands import Command
from bot.domain.messages import Author, Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.slack.workspaces import Workspace
    from bot.domain.command_grammar import CommandGrammar


def read_button(payload: Mapping[str, Any], workspace: Workspace) -> Message | None:
    """Return the command of a pressed button; None if it has none.

    A button outside a thread, as below a private answer, acts on the place.
    """
    actions, container = payload.get("actions"), payload.get("container")
    command = (
        button_command(dig(actions[0], "value")) if isinstance(actions, list) and actions else ""
    )
    channel = _id(payload, "channel") or identifier(dig(container, "channel_id"))
    if not (command and channel):
        return None
    private = dig(container, "is_ephemeral") is True
    thread_ts = dig(container, "thread_ts") or dig(payload.get("message"), "thread_ts")
    root = "" if private else identifier(thread_ts)
    response = string(payload.get("response_url")) if private else ""
    user = _id(payload, "user")
    return Message(
        id=identifier(payload.get("trigger_id")),
        thread=thread_of(workspace.team, channel, root or TOP),
        author=_author(payload),
        text=command,
        address=SlackAddress(
            *(workspace.team, channel, root, user),
            PrivatePost() if private else VisiblePost(),
            response=response,
        ),
        shared=is_shared(channel),
        opening=not root,
        at=time.time(),
    )


def read_shortcut(
    payload: Mapping[str, Any], workspace: Workspace, grammar: CommandGrammar
) -> Message | None:
    """Return the message of a user who asks Loupe to look at a post, whoever wrote that.

    Each request answers the post anew, as an edit of it would. Its text is never a command of the
    user who asks. If it has no files, the answer is private.
    """
    post, channel = payload.get("message"), _id(payload, "channel")
    ts = identifier(dig(post, "ts")) or identifier(payload.get("message_ts"))
    if not (isinstance(post, dict) and channel and ts):
        return None
    root, user = root_of({**post, "ts": ts}), _id(payload, "user")
    response, files = string(payload.get("response_url")), files_of(post)
    text = plain_text(string(post.get("text")), workspace.bot_user)
    request_id = identifier(payload.get("trigger_id"))
    return Message(
        id=ts if files else request_id,
        thread=thread_of(workspace.team, channel, root),
        author=_author(payload),
        text=text if files and grammar.parse(text) is None else "",
        attachments=files,
        address=SlackAddress(
            *(workspace.team, channel, root, user),
            VisiblePost() if files else PrivatePost(),
            response=response,
        ),
        version=request_id if files else "",
        shared=is_shared(channel),
        opening=root == ts,
        at=time.time(),
    )


class SlashCommand:
    """One call of `/loupe …`, for which Slack names the place and the user, but no thread.

    A text that is no command asks for help.
    """

    def __init__(
        self, payload: Mapping[str, Any], workspace: Workspace, grammar: CommandGrammar
    ) -> None:
        self._payload = payload
        self._workspace = workspace
        self.channel = identifier(payload.get("channel_id"))
        self.user = identifier(payload.get("user_id"))
        text = "/" + unescape(string(payload.get("text"))).lstrip("/!")
        command = grammar.parse(text)
        self.text = text if command else f"/{grammar.fallback.name}"
        self._command = command or Command(grammar.fallback)

    @property
    def needs_latest_thread(self) -> bool:
        """Whether it is about the thread in which its user last wrote."""
        return self._command.slash == "latest thread"

    def read(self, latest: str) -> Message | str:
        """Return it as a message, or as the text of an immediate private answer.

        `latest` is the root of the user's latest thread in the channel; empty if there is none,
        and for commands about the place.
        """
        if self._command.slash == "none":
            return texts.SLASH_NEEDS_THREAD
        if not self.needs_latest_thread:
            return self._message(TOP)
        return self._message(latest) if latest else texts.SLASH_NO_THREAD

    @property
    def _concerns_everybody(self) -> bool:
        """Whether others there have to know, as when Loupe begins to read their posts."""
        return self._command.is_announced and is_shared(self.channel)

    def _message(self, root: str) -> Message:
        team, at_top = self._workspace.team, root == TOP
        about = "" if at_top else permalink(self._workspace.url, self.channel, root)
        response = string(self._payload.get("response_url"))
        return Message(
            id=identifier(self._payload.get("trigger_id")),
            thread=thread_of(team, self.channel, root),
            author=Author(self.user, name(self._payload.get("user_name"))),
            text=self.text,
            address=SlackAddress(
                team,
                self.channel,
                user=self.user,
                delivery=PrivatePost(about, announce=self._concerns_everybody),
                response=response,
            ),
            shared=is_shared(self.channel),
            opening=at_top,
            at=time.time(),
        )


def _id(payload: Mapping[str, Any], key: str) -> str:
    return identifier(dig(payload, key, "id"))


def _author(payload: Mapping[str, Any]) -> Author:
    return Author(_id(payload, "user"), name(dig(payload, "user", "name")))
