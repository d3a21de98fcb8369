"""Where in Slack: threads, places and addresses by team, channel and time stamp."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from adapters.http.json_fields import identifier
from bot.domain.threads import Thread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.domain.messages import Address

SLACK = "slack-app"
"""The channel's name; `slack` is what Azure Bot Service calls its own way to Slack."""

TOP = "top"
"""The root of what belongs to no thread: commands and greetings at the top of a place.

No post has it as its time stamp, which is always a number.
"""


def thread_of(team: str, channel: str, root: str) -> Thread:
    """Name a thread by the time stamp of the post that it hangs on, or by `TOP`."""
    return Thread(SLACK, team, channel, root)


def address_of(team: str, channel: str, thread: str, user: str, **more: Any) -> Address:
    """Note where to answer, and whom: below a post, or at the top of the place without `thread`.

    `more` may hold `private` (only `user` may see it), `response` (a `response_url`), `about`
    (the link to the thread that an answer elsewhere is about), `quiet` (no receipt is shown),
    `public` (what is told to `user` alone is posted too), `home` (the workspace of `user`, where it
    is another: Slack Connect) and `errand` (the room's own work). What is empty is left out.
    """
    told = {key: value for key, value in more.items() if value}
    return {"team": team, "channel": channel, "thread": thread, "user": user, **told}


def root_of(post: Mapping[str, Any]) -> str:
    """Name the post that a post's thread hangs on: its own time stamp where it begins one.

    Direct messages are no exception: Slack's view of agents shows each as a thread.
    """
    return identifier(post.get("thread_ts")) or identifier(post.get("ts"))


def is_shared(channel: str) -> bool:
    """Tell whether several people write there: all but direct messages to Loupe."""
    return not channel.startswith("D")


def permalink(url: str, channel: str, ts: str) -> str:
    """Write the link to a post of the workspace at `url`; empty where the URL is not known.

    The form is that which `chat.getPermalink` returns: https://docs.slack.dev/reference/methods/chat.getPermalink/
    """
    if not url:
        return ""
    return f"{url.rstrip('/')}/archives/{quote(channel, safe='')}/p{quote(ts.replace('.', ''))}"
