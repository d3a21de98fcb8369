"""The posts with pictures that stand in a thread before Loupe is first mentioned there."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from adapters.http.json_fields import dig, objects, string
from adapters.slack.events import pictured
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
"""Replies of a thread that are looked through, those at its beginning first, as Slack gives them:
https://docs.slack.dev/reference/methods/conversations.replies
"""
TIME_STAMP = re.compile(r"[0-9]{1,11}(\.[0-9]{1,6})?")

log = structlog.get_logger()


class EarlierPictures:
    """Looks for pictures in threads."""

    def __init__(
        self, api: SlackApi, people: Users, workspaces: Workspaces, limits: SlackLimits
    ) -> None:
        self._api = api
        self._people = people
        self._workspaces = workspaces
        self._most = limits.earlier_pictures

    async def of(self, message: Message) -> tuple[Message, ...] | None:
        """List the posts with the newest pictures before a message, oldest first.

        What people posted counts, and what programs did; posts of Loupe itself and files that are
        no pictures are left out. What Slack does not give is not there; None where it gave nothing.
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
        read = (pictured({**post, "channel": address.channel}, workspace) for post in posts)
        shown = [one for one in read if one and _time(one) < _time(message)]
        found = _newest(shown, self._most)
        names = await self._people.names(address.team, {one.author.id for one in found})
        return tuple(_beside(message, one, names) for one in found)

    async def _posts(self, team: str, channel: str, thread: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
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
            found += objects(page.get("messages"))
            cursor = string(dig(page, "response_metadata", "next_cursor"))
            if not cursor:
                break
        return found


def _newest(posts: list[Message], most: int) -> list[Message]:
    """Keep the last so many pictures, their posts in order of time."""
    kept: list[Message] = []
    for post in sorted(posts, key=_time, reverse=True):
        if most <= 0:
            break
        files = post.attachments[-most:]
        most -= len(files)
        kept.append(replace(post, attachments=files))
    return kept[::-1]


def _beside(asking: Message, post: Message, names: Mapping[str, str]) -> Message:
    """Put a post into the thread of the message that asks."""
    author = replace(post.author, name=names.get(post.author.id, ""))
    return replace(post, thread=asking.thread, author=author, addressed=False, opening=False)


def _time(post: Message) -> float:
    """Read a post's `ts`, seconds since the epoch; what has none, as a command, comes last."""
    return float(post.id) if TIME_STAMP.fullmatch(post.id) else math.inf
