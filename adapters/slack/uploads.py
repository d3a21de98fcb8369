"""Files that Loupe shares in a thread, in three steps, of which only the last is visible.

https://docs.slack.dev/messaging/working-with-files/#upload
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import ClientError, ClientTimeout

from adapters.http.json_fields import string
from adapters.http.ssrf_guard import AddressRefused
from adapters.slack.addresses import TOP
from adapters.slack.errors import SlackError
from bot.clock import Clock
from bot.retry import AttemptFailed, RetryBudget, is_temporary, retry_after, retrying

if TYPE_CHECKING:
    from adapters.http.ssrf_guard import Guard
    from adapters.slack.addresses import SlackAddress
    from adapters.slack.hosts import SlackHosts
    from adapters.slack.settings import SlackLimits
    from adapters.slack.web_api import SlackApi


class SlackUploads:
    """Shares files; the bytes go to the URL that Slack returns, without the bot's token."""

    def __init__(
        self,
        api: SlackApi,
        guard: Guard,
        hosts: SlackHosts,
        limits: SlackLimits,
        clock: Clock | None = None,
    ) -> None:
        self._api = api
        self._guard = guard
        self._hosts = hosts
        self._limits = limits
        self._clock = clock or Clock()

    async def share(
        self, address: SlackAddress, name: str, data: bytes, *, alt: str = "", title: str = ""
    ) -> None:
        """Share a file in the thread, or at the top of the place if the address has none.

        `alt` describes a picture in words, and `title` replaces the name above it. The steps
        before the file is visible are retried. Raises `DeliveryUnknown`, `ConversationGone`,
        `DeliveryRefused`.
        """
        team = address.team
        url, file_id = await self._request_upload(team, name, len(data), alt)
        budget = RetryBudget(self._limits.retry_policy, self._clock)
        await retrying(lambda: self._put(url, data), budget, "slack_upload_failed")
        thread = address.thread or TOP
        await self._api.call(
            team,
            "files.completeUploadExternal",
            files=[{"id": file_id, "title": title or name}],
            channel_id=address.channel,
            thread_ts=None if thread == TOP else thread,
        )

    async def _request_upload(self, team: str, name: str, length: int, alt: str) -> tuple[str, str]:
        """Return the URL for the bytes, and the id of the file."""
        response = await self._api.call(
            team,
            "files.getUploadURLExternal",
            repeatable=True,
            filename=name,
            length=length,
            alt_txt=alt or None,
        )
        url, file_id = string(response.get("upload_url")), string(response.get("file_id"))
        if not self._hosts.upload(url):
            raise SlackError(0, "the upload URL is not Slack's")
        return url, file_id

    async def _put(self, url: str, data: bytes) -> None:
        """Send the bytes once; nothing is visible yet, so temporary failures may be retried."""
        headers = {"Content-Type": "application/octet-stream"}
        timeout = ClientTimeout(total=self._limits.send_seconds)
        try:
            async with self._guard.request(
                "POST", url, local=self._hosts.local, data=data, headers=headers, timeout=timeout
            ) as response:
                status, wait = response.status, retry_after(response.headers)
        except AddressRefused as error:
            raise AttemptFailed(SlackError(0, str(error)), retry=False) from None
        except (ClientError, TimeoutError) as error:
            raise AttemptFailed(SlackError(0, type(error).__name__), retry=True) from None
        if not 200 <= status < 300:
            problem = SlackError(status, "upload")
            raise AttemptFailed(problem, retry=is_temporary(status), requested_wait=wait)
