"""Messages in threads and places, and ephemeral messages that only one user sees."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import ClientError, ClientTimeout

from adapters.http.json_fields import string
from adapters.http.ssrf_guard import AddressRefused
from adapters.slack import blocks
from adapters.slack.addresses import PrivatePost, is_shared
from adapters.slack.errors import (
    NEVER_EDITABLE,
    MessageTooLong,
    SlackError,
    StillStreaming,
    StreamExpired,
)
from bot import strings as texts
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown, Stage
from bot.retry import THROTTLED, is_temporary

if TYPE_CHECKING:
    from adapters.http.ssrf_guard import Guard
    from adapters.slack.addresses import SlackAddress
    from adapters.slack.hosts import SlackHosts
    from adapters.slack.settings import SlackLimits
    from adapters.slack.streaming import AgentStatus
    from adapters.slack.web_api import SlackApi
    from bot.ports.channel import Post

log = structlog.get_logger()

NO_PREVIEWS: dict[str, Any] = {"unfurl_links": "false", "unfurl_media": "false", "parse": "none"}
"""No link gets a preview, and no word becomes a link, a mention or a channel."""


class SlackMessages:
    """Posts and edits in threads and at the top of a place.

    It is the `MessageEditor` of `adapters.chat.growing_message`.
    """

    def __init__(self, api: SlackApi, status: AgentStatus, limits: SlackLimits) -> None:
        self._api = api
        self._status = status
        self._limits = limits

    def edits(self, address: SlackAddress) -> bool:
        """Return whether a message can be edited, as all can but ephemeral ones."""
        return not isinstance(address.delivery, PrivatePost)

    def streams(self, address: SlackAddress) -> bool:
        """Return whether an answer may be streamed, which needs a thread and a user."""
        if not address.thread or not address.user or isinstance(address.delivery, PrivatePost):
            return False
        return self._limits.stream_channels or not is_shared(address.channel)

    def behind(self, address: SlackAddress) -> float:
        """Return how much longer edits wait than chunks, seconds; Slack allows fifty a minute."""
        return self._limits.edit_pace - self._limits.stream_pace if self.streams(address) else 0.0

    async def say(self, address: SlackAddress, post: Post) -> str:
        """Post a message and return its `ts`; empty if the response has none.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.
        """
        if post.live and post.stage is Stage.OPENING:
            await self._status.working(address)
        thread = address.thread or None
        response = await self._write(
            address, post, "chat.postMessage", thread_ts=thread, **NO_PREVIEWS
        )
        if post.live and post.stage is Stage.FINAL:
            await self._status.idle(address)
        return string(response.get("ts"))

    async def change(
        self, address: SlackAddress, message_id: str, post: Post, *, brief: bool
    ) -> None:
        """Edit a message of Loupe's, after ending the stream that a dead process left open.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.
        """
        try:
            await self._update(address, message_id, post, brief=brief)
        except StillStreaming:
            await self._stop(address, message_id, brief=brief)
            await self._update(address, message_id, post, brief=brief)
        if post.stage is Stage.FINAL:
            await self._status.idle(address)

    async def hint(self, address: SlackAddress) -> None:
        """Show that Loupe is working."""
        await self._status.working(address)

    async def rest(self, address: SlackAddress) -> None:
        """Show that Loupe is idle, which Slack's own Stop button leaves to the app."""
        await self._status.idle(address)

    def lost(self, refusal: DeliveryRefused) -> bool:
        """Return whether the message can never be edited again."""
        return isinstance(refusal, SlackError) and refusal.error in NEVER_EDITABLE

    async def _stop(self, address: SlackAddress, message_id: str, *, brief: bool) -> None:
        """End the stream of a message; it may also have ended by itself."""
        with suppress(StreamExpired):
            await self._api.call(
                address.team,
                "chat.stopStream",
                repeatable=True,
                brief=brief,
                channel=address.channel,
                ts=message_id,
            )

    async def _update(
        self, address: SlackAddress, message_id: str, post: Post, *, brief: bool
    ) -> None:
        options: dict[str, Any] = {"repeatable": True, "brief": brief, "parse": "none"}
        await self._write(address, post, "chat.update", ts=message_id, **options)

    async def _write(
        self, address: SlackAddress, post: Post, method: str, **arguments: Any
    ) -> dict[str, Any]:
        """Show a post; as text alone if its blocks are too long after Slack's own conversion.

        Slack accepts longer texts than blocks: https://docs.slack.dev/reference/methods/chat.postMessage/#truncating
        """
        team, content = address.team, blocks.message(post)
        arguments["channel"] = address.channel
        try:
            return await self._api.call(team, method, **arguments, **content)
        except MessageTooLong:
            log.warning("text_without_blocks", characters=len(content["text"]))
            return await self._api.call(team, method, **arguments, text=content["text"])


class EphemeralMessages:
    """Posts messages that only one user in a place sees."""

    def __init__(self, api: SlackApi, guard: Guard, hosts: SlackHosts, limits: SlackLimits) -> None:
        self._api = api
        self._guard = guard
        self._hosts = hosts
        self._limits = limits

    async def say(self, address: SlackAddress, post: Post) -> None:
        """Show a post to the user of an address.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.

        If Loupe is not a member of the place, the response URL of the command is used. Slack
        accepts five messages there within half an hour:
        https://docs.slack.dev/interactivity/handling-user-interaction/#message_responses
        """
        if isinstance(address.delivery, PrivatePost) and (about := address.delivery.about):
            post = replace(post, text=f"{texts.slack_about(about)}\n\n{post.text}")
        content = blocks.message(post)
        try:
            await self._api.call(
                address.team,
                "chat.postEphemeral",
                channel=address.channel,
                user=address.user,
                **content,
            )
        except (ConversationGone, SlackError):
            if not address.response:
                raise
            await self._respond(address.response, content)

    async def respond(self, url: str, post: Post) -> None:
        """Post through the response URL of a command or shortcut; failures are only logged."""
        try:
            await self._respond(url, blocks.message(post))
        except (DeliveryUnknown, ConversationGone, DeliveryRefused) as error:
            log.info("response_url_failed", why=str(error))

    async def _respond(self, url: str, content: dict[str, Any]) -> None:
        """Post to a response URL; the URL itself is the credential, so no token is sent."""
        if not self._hosts.response(url):
            raise ConversationGone("not a response URL of Slack's")
        body = {"response_type": "ephemeral", "replace_original": False, **content}
        timeout = ClientTimeout(total=self._limits.request_seconds)
        try:
            async with self._guard.request(
                "POST", url, local=self._hosts.local, json=body, timeout=timeout
            ) as response:
                _check_status(response.status)
        except AddressRefused as error:
            raise DeliveryRefused(str(error)) from None
        except (ClientError, TimeoutError) as error:
            raise DeliveryUnknown(type(error).__name__) from None


def _check_status(status: int) -> None:
    """Raise for a status that is no success; any permanent one means that the URL has expired."""
    if status == THROTTLED:
        raise DeliveryRefused(str(status))
    if is_temporary(status):
        raise DeliveryUnknown(str(status))
    if status >= 300:
        raise ConversationGone(str(status))
