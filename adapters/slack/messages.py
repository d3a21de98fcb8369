"""Messages that are posted whole and edited, as `adapters.chat.growing_message.MessageEditor`."""

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
from adapters.slack.errors import LASTING, MessageTooLong, SlackError, StillStreaming, StreamExpired
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

QUIET: dict[str, Any] = {"unfurl_links": "false", "unfurl_media": "false", "parse": "none"}
"""No link is fetched and shown, and no word becomes a link, a mention or a channel."""


class SlackMessages:
    """Posts and edits in threads and at the top of a place."""

    def __init__(self, api: SlackApi, sessions: AgentStatus, limits: SlackLimits) -> None:
        self._api = api
        self._sessions = sessions
        self._limits = limits

    def edits(self, address: SlackAddress) -> bool:
        """Return whether a message can be edited: all but those that one person sees."""
        return not isinstance(address.delivery, PrivatePost)

    def streams(self, address: SlackAddress) -> bool:
        """Return whether an answer may be streamed: in a thread, to somebody."""
        if not address.thread or not address.user or isinstance(address.delivery, PrivatePost):
            return False
        return self._limits.stream_channels or not is_shared(address.channel)

    def behind(self, address: SlackAddress) -> float:
        """Edits come at the pace of chunks: Slack takes fifty a minute of them."""
        return self._limits.edit_pace - self._limits.stream_pace if self.streams(address) else 0.0

    async def say(self, address: SlackAddress, post: Post) -> str:
        """Post a message; returns its `ts`, empty where Slack does not tell it.

        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`.
        """
        if post.live and post.stage is Stage.OPENING:
            await self._sessions.working(address)
        thread = address.thread or None
        made = await self._write(address, post, "chat.postMessage", thread_ts=thread, **QUIET)
        if post.live and post.stage is Stage.FINAL:
            await self._sessions.idle(address)
        return string(made.get("ts"))

    async def change(
        self, address: SlackAddress, message_id: str, post: Post, *, brief: bool
    ) -> None:
        """Edit a message of ours; one that is still streamed is ended first.

        That is one of a process that died while it streamed. Raises `DeliveryUnknown`,
        `ConversationGone`, `DeliveryRefused`.
        """
        try:
            await self._update(address, message_id, post, brief=brief)
        except StillStreaming:
            await self._stop(address, message_id, brief=brief)
            await self._update(address, message_id, post, brief=brief)
        if post.stage is Stage.FINAL:
            await self._sessions.idle(address)

    async def hint(self, address: SlackAddress) -> None:
        """Show that something is being done."""
        await self._sessions.working(address)

    async def rest(self, address: SlackAddress) -> None:
        """Show that nothing is being done, as after Slack's own Stop, which leaves that to us."""
        await self._sessions.idle(address)

    def lost(self, refusal: DeliveryRefused) -> bool:
        """Return whether a message can never be edited."""
        return isinstance(refusal, SlackError) and refusal.error in LASTING

    async def _stop(self, address: SlackAddress, message_id: str, *, brief: bool) -> None:
        """End the stream of a message; one that has ended meanwhile is as good."""
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
        how: dict[str, Any] = {"repeatable": True, "brief": brief, "parse": "none"}
        await self._write(address, post, "chat.update", ts=message_id, **how)

    async def _write(
        self, address: SlackAddress, post: Post, method: str, **how: Any
    ) -> dict[str, Any]:
        """Show a post; where its blocks are too long once Slack has translated them, its bare text.

        Of that Slack takes more: https://docs.slack.dev/reference/methods/chat.postMessage/#truncating
        """
        team, shown = address.team, blocks.message(post)
        how["channel"] = address.channel
        try:
            return await self._api.call(team, method, **how, **shown)
        except MessageTooLong:
            log.warning("text_without_blocks", characters=len(shown["text"]))
            return await self._api.call(team, method, **how, text=shown["text"])


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
