"""The posts with pictures that precede the first mention of Loupe in a thread."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from adapters.http.json_fields import dig, objects, string
from adapters.slack.events import read_pictures
from adapters.slack.workspaces import UnknownTeam, WorkspaceUnknown
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.slack.settings import SlackLimits
    from adapters.slack.users import Users
    from adapters.slack.web_api import SlackApi
    from adapters.slack.workspaces import Workspaces
    from bot.domain.messages import Message

PAGES = 3
PAGE = 999
"""Pages, and posts per page, that are read of a thread, which Slack lists oldest first:
https://docs.slack.dev/reference/methods/conversations.replies
"""
TIME_STAMP = re.compile(r"[0-9]{1,11}(\.[0-9]{1,6})?")

log = structlog.get_logger()


class ThreadPictures:
    """Finds the pictures of threads."""

    def __init__(
        self, api: SlackApi, users: Users, workspaces: Workspaces, limits: SlackLimits
    ) -> None:
        self._api = api
        self._users = users
        self._workspaces = workspaces
        self._most = limits.earlier_pictures

    async def of(self, message: Message) -> tuple[Message, ...] | None:
        """Return the posts with the newest pictures before a message, oldest first.

        Posts of people and of other programs count; Loupe's own and other files are left out.
        None if Slack cannot be read.
        """
        address = message.address
        if message.opening or not address.thread or not self._most:
            return ()
        try:
            workspace = await self._workspaces.of(address.team)
            posts = await self._posts(address.team, address.channel, address.thread)
        except (
            DeliveryUnknown,
            DeliveryRefused,
            ConversationGone,
            WorkspaceUnknown,
            UnknownTeam,
        ) as error:
            log.warning("earlier_posts_not_read", why=str(error) or type(error).__name__)
            return None
        messages = (
            read_pictures({**post, "channel": address.channel}, workspace) for post in posts
        )
        earlier = [one for one in messages if one and _time(one) < _time(message)]
        newest = _newest(earlier, self._most)
        names = await self._users.names(address.team, {one.author.id for one in newest})
        return tuple(_in_thread_of(message, one, names) for one in newest)

    async def _posts(self, team: str, channel: str, thread: str) -> list[dict[str, Any]]:
        posts: list[dict[str, Any]] = []
        cursor = ""
        for _ in range(PAGES):
            page = await self._api.call(
                team,
                "conversations.replies",
                repeatable=True,
                channel=channel,
                ts=thread,
                limit=PAGE,
                cursor=cursor or None,
            )
            posts += objects(page.get("messages"))
            cursor = string(dig(page, "response_metadata", "next_cursor"))
            if not cursor:
                break
        return posts


def _newest(posts: list[Message], most: int) -> list[Message]:
    """Return the posts of the last `most` pictures, oldest first."""
    newest: list[Message] = []
    for post in sorted(posts, key=_time, reverse=True):
        if most <= 0:
            break
        files = post.attachments[-most:]
        most -= len(files)
        newest.append(replace(post, attachments=files))
    return newest[::-1]


def _in_thread_of(question: Message, post: Message, names: Mapping[str, str]) -> Message:
    """Return a post as a message in the thread of a question, with its author's name."""
    author = replace(post.author, name=names.get(post.author.id, ""))
    return replace(post, thread=question.thread, author=author, addressed=False, opening=False)


def _time(post: Message) -> float:
    """Return a post's time, seconds since the epoch; infinite if it has no `ts`, as a command."""
    return float(post.id) if TIME_STAMP.fullmatch(post.id) else math.inf
