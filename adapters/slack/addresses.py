"""Where in Slack: threads, places and addresses by team, channel and time stamp."""

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
"""The channel's name; `slack` is what Azure Bot Service calls its own way to Slack."""

TOP = "top"
"""The root of what belongs to no thread: commands and greetings at the top of a place.

No post has it as its time stamp, which is always a number.
"""


def thread_of(team: str, channel: str, root: str) -> Thread:
    """Name a thread by the time stamp of the post that it hangs on, or by `TOP`."""
    return Thread(SLACK, team, channel, root)


@dataclass(frozen=True, slots=True)
class VisiblePost:
    """Delivery in the thread, or at the top of the place, where everybody there sees it."""

    kind: Literal["visible"] = "visible"


VISIBLE = VisiblePost()


@dataclass(frozen=True, slots=True)
class QuietPost:
    """No delivery: what was asked shows its effect by itself."""

    kind: Literal["quiet"] = "quiet"


@dataclass(frozen=True, slots=True)
class PrivatePost:
    """Delivery to the user alone.

    `about` links to the thread that an answer elsewhere is about; one that is `announced` is
    posted at the top of the place, too.
    """

    about: str = ""
    announced: bool = False
    kind: Literal["private"] = "private"


@dataclass(frozen=True, slots=True)
class BackgroundTask:
    """Work of the room's own: what to `do`, with the post or thread that it is about."""

    do: str
    post: str = ""
    thread: str = ""


@dataclass(frozen=True, slots=True)
class SlackAddress:
    """Where to answer, and whom: below a post, or at the top of the place without `thread`.

    `response` is the `response_url` of a command or shortcut, `home` the workspace of the user
    where it is another (Slack Connect).
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
    """Return the fields of an address of 0.4.0, which had flags for deliveries."""
    delivery: VisiblePost | QuietPost | PrivatePost = VISIBLE
    if fields.get("quiet"):
        delivery = QuietPost()
    elif fields.get("private"):
        delivery = PrivatePost(fields.get("about", ""), announced=bool(fields.get("public")))
    return {**fields, "delivery": delivery, "task": fields.get("errand") or None}


def root_of(post: Mapping[str, Any]) -> str:
    """Name the post that a post's thread hangs on: its own time stamp where it begins one.

    Direct messages are no exception: Slack's view of agents shows each as a thread.
    """
    return identifier(post.get("thread_ts")) or identifier(post.get("ts"))


def is_shared(channel: str) -> bool:
    """Return whether several people write there: all but direct messages to Loupe."""
    return not channel.startswith("D")


def permalink(url: str, channel: str, ts: str) -> str:
    """Write the link to a post of the workspace at `url`; empty where the URL is not known.

    The form is that which `chat.getPermalink` returns: https://docs.slack.dev/reference/methods/chat.getPermalink/
    """
    if not url:
        return ""
    return f"{url.rstrip('/')}/archives/{quote(channel, safe='')}/p{quote(ts.replace('.', ''))}"
