"""Answers that only the one who asked sees, as those of a slash command."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import ClientError, ClientTimeout

from adapters.http.ssrf_guard import AddressRefused
from adapters.slack import blocks
from adapters.slack.addresses import PrivatePost
from adapters.slack.errors import SlackError
from bot import strings as texts
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown
from bot.retry import THROTTLED, is_temporary

if TYPE_CHECKING:
    from adapters.http.ssrf_guard import Guard
    from adapters.slack.addresses import SlackAddress
    from adapters.slack.hosts import SlackHosts
    from adapters.slack.settings import SlackLimits
    from adapters.slack.web_api import SlackApi
    from bot.ports.channel import Post

log = structlog.get_logger()


class EphemeralMessages:
    """Says something to one person in a place where others are."""

    def __init__(self, api: SlackApi, guard: Guard, hosts: SlackHosts, limits: SlackLimits) -> None:
        self._api = api
        self._guard = guard
        self._hosts = hosts
        self._limits = limits

    async def say(self, address: SlackAddress, post: Post) -> None:
        """Show a post to the user of an address.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.

        Where Loupe is no member of the place, the web hook of the command says it; Slack takes
        five answers there within half an hour:
        https://docs.slack.dev/interactivity/handling-user-interaction/#message_responses
        """
        if isinstance(address.delivery, PrivatePost) and (about := address.delivery.about):
            post = replace(post, text=f"{texts.slack_about(about)}\n\n{post.text}")
        shown = blocks.message(post)
        try:
            await self._api.call(
                address.team,
                "chat.postEphemeral",
                channel=address.channel,
                user=address.user,
                **shown,
            )
        except (ConversationGone, SlackError):
            if not address.response:
                raise
            await self._respond(address.response, shown)

    async def respond(self, url: str, post: Post) -> None:
        """Say something by the web hook of a command or shortcut; what fails is not said."""
        try:
            await self._respond(url, blocks.message(post))
        except (DeliveryUnknown, ConversationGone, DeliveryRefused) as error:
            log.info("hook_not_answered", why=str(error))

    async def _respond(self, url: str, shown: dict[str, Any]) -> None:
        """Answer by the web hook; it is signed by its address, so it gets no token."""
        if not self._hosts.response(url):
            raise ConversationGone("no web hook of Slack's")
        body = {"response_type": "ephemeral", "replace_original": False, **shown}
        timeout = ClientTimeout(total=self._limits.request_seconds)
        try:
            async with self._guard.request(
                "POST", url, local=self._hosts.local, json=body, timeout=timeout
            ) as response:
                _check(response.status)
        except AddressRefused as error:
            raise DeliveryRefused(str(error)) from None
        except (ClientError, TimeoutError) as error:
            raise DeliveryUnknown(type(error).__name__) from None


def _check(status: int) -> None:
    """Raise what the status of a response URL means: any other refusal is that it has expired."""
    if status == THROTTLED:
        raise DeliveryRefused(str(status))
    if is_temporary(status):
        raise DeliveryUnknown(str(status))
    if status >= 300:
        raise ConversationGone(str(status))
