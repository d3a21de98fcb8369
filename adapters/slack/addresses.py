"""Threads and addresses in Slack, identified by team, channel and time stamp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from pydantic import TypeAdapter

from adapters.http.json_fields import identifier
from bot.domain.threads import Thread

if TYPE_CHECKING:
    from collections.abc import Mapping

SLACK = "slack-app"
"""The channel's name; `slack` is the name of Azure Bot Service's own connection to Slack."""

TOP = "top"
"""The root of what belongs to no thread: commands and greetings at the top of a place.

It cannot be taken for a post's time stamp, which is always a number.
"""


def thread_of(team: str, channel: str, root: str) -> Thread:
    """Return the thread below the post with the time stamp `root`, or that of `TOP`."""
    return Thread(SLACK, team, channel, root)


@dataclass(frozen=True, slots=True)
class VisiblePost:
    """Delivery in the thread, or at the top of the place, where everybody there sees it."""

    kind: Literal["visible"] = "visible"


VISIBLE = VisiblePost()


@dataclass(frozen=True, slots=True)
class QuietPost:
    """No delivery, since the user sees the effect of the request anyway."""

    kind: Literal["quiet"] = "quiet"


@dataclass(frozen=True, slots=True)
class PrivatePost:
    """Delivery to the user alone.

    `about` is the link to the thread that the post is about, if it is shown elsewhere. With
    `announce` it is also posted at the top of the place.
    """

    about: str = ""
    announce: bool = False
    kind: Literal["private"] = "private"


@dataclass(frozen=True, slots=True)
class BackgroundTask:
    """Work that no turn does: an `action`, and the post or thread that it is about."""

    action: str
    post: str = ""
    thread: str = ""


@dataclass(frozen=True, slots=True)
class SlackAddress:
    """Where to answer, and whom: in a thread, or at the top of the place without `thread`.

    `response` is the `response_url` of a command or shortcut, `home` the user's own workspace if
    it is another one (Slack Connect).
    """

    team: str
    channel: str
    thread: str = ""
    user: str = ""
    delivery: VisiblePost | QuietPost | PrivatePost = VISIBLE
    response: str = ""
    home: str = ""
    task: BackgroundTask | None = None


_ADDRESS = TypeAdapter(SlackAddress)


def read_address(fields: Mapping[str, Any]) -> SlackAddress:
    """Read a stored address; raises `ValidationError`."""
    is_flagged = isinstance(fields, dict) and "delivery" not in fields
    return _ADDRESS.validate_python(_upgraded(fields) if is_flagged else fields)


def _upgraded(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an address of 0.4.0, which had flags for deliveries and an `errand`."""
    delivery: VisiblePost | QuietPost | PrivatePost = VISIBLE
    if fields.get("quiet"):
        delivery = QuietPost()
    elif fields.get("private"):
        delivery = PrivatePost(fields.get("about", ""), announce=bool(fields.get("public")))
    return {**fields, "delivery": delivery, "task": _upgraded_task(fields.get("errand"))}


def _upgraded_task(errand: Any) -> Any:
    return {**errand, "action": errand.get("do")} if isinstance(errand, dict) and errand else None


def root_of(post: Mapping[str, Any]) -> str:
    """Return the time stamp of the post that begins a post's thread, which may be its own.

    Direct messages are no exception, because Slack shows each message to an agent as a thread.
    """
    return identifier(post.get("thread_ts")) or identifier(post.get("ts"))


def is_shared(channel: str) -> bool:
    """Return whether several people write there, as everywhere except in direct messages."""
    return not channel.startswith("D")


def permalink(url: str, channel: str, ts: str) -> str:
    """Return the link to a post of the workspace at `url`; empty if the URL is not known.

    It has the form that `chat.getPermalink` returns: https://docs.slack.dev/reference/methods/chat.getPermalink/
    """
    if not url:
        return ""
    return f"{url.rstrip('/')}/archives/{quote(channel, safe='')}/p{quote(ts.replace('.', ''))}"
