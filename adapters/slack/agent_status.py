"""Whether Loupe is at work in a thread, as Slack shows it, with its own Stop button.

https://docs.slack.dev/ai/agent-sessions
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from adapters.slack.errors import SlackError
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown

if TYPE_CHECKING:
    from adapters.slack.addresses import SlackAddress
    from adapters.slack.web_api import SlackApi

METHOD = "agents.sessions.setStatus"
NO_AGENT = {"not_authorized", "unknown_method", "missing_scope", "feature_not_enabled"}
"""Errors of a workspace in which Loupe is no agent, as its app was made without."""
SECONDS = 3.0
"""An answer waits no longer for this."""

log = structlog.get_logger()


class AgentStatus:
    """Shows how sessions stand; what fails costs nobody an answer.

    A stream does so by itself: this is for answers that are posted and edited.
    """

    def __init__(self, api: SlackApi) -> None:
        self._api = api
        self._without: set[str] = set()

    async def working(self, address: SlackAddress) -> None:
        """Show that something is being done."""
        await self._set(address, "processing")

    async def idle(self, address: SlackAddress) -> None:
        """Show that nothing is being done any more."""
        await self._set(address, "active")

    async def _set(self, address: SlackAddress, status: str) -> None:
        team = address.team
        if team in self._without or not address.thread:
            return
        try:
            async with asyncio.timeout(SECONDS):
                await self._api.call(
                    team,
                    METHOD,
                    brief=True,
                    channel_id=address.channel,
                    thread_ts=address.thread,
                    status=status,
                )
        except SlackError as refusal:
            if refusal.error in NO_AGENT:
                self._without.add(team)
            log.info("session_not_shown", why=str(refusal))
        except (DeliveryUnknown, DeliveryRefused, ConversationGone, TimeoutError) as error:
            log.info("session_not_shown", why=str(error) or type(error).__name__)
