"""Slack's rates: how often each method of its Web API may be called.

https://docs.slack.dev/apis/web-api/rate-limits/ says what the tiers are, and the page of each
method which is its own. That of `chat.startStream` is not documented; `chat.stopStream`, which
follows each start, is of tier 2.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.http.rate_limit import Rate

MINUTE = 60.0
TIER_2: tuple[Rate, ...] = ((20, MINUTE),)
TIER_3: tuple[Rate, ...] = ((50, MINUTE),)
TIER_4: tuple[Rate, ...] = ((100, MINUTE),)
POSTS: tuple[Rate, ...] = ((1, 1.0),)
"""One a second in each channel."""

RATES: Mapping[str, tuple[Rate, ...]] = MappingProxyType(
    {
        "agents.sessions.setStatus": TIER_3,
        "assistant.threads.setSuggestedPrompts": TIER_3,
        "chat.appendStream": TIER_4,
        "chat.postEphemeral": TIER_4,
        "chat.postMessage": POSTS,
        "chat.startStream": TIER_2,
        "chat.stopStream": TIER_2,
        "chat.update": TIER_3,
        "conversations.replies": TIER_3,
        "files.completeUploadExternal": TIER_4,
        "files.getUploadURLExternal": TIER_4,
        "files.info": TIER_4,
        "users.info": TIER_4,
    }
)
"""Most calls of each method that Loupe calls, an app in a workspace."""


def bucket_of(team: str, method: str, channel: str) -> str:
    """Name what Slack counts together: a method's calls in a workspace, posts in a channel."""
    names = (team, method, channel) if RATES[method] is POSTS else (team, method)
    return " ".join(names)
