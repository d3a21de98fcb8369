"""Files of ours: shared in a thread in three steps, of which only the last is seen.

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
    """Shares files; the bytes go, without the bot's token, where Slack says."""

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
        """Show a file in the thread, or at the top of the place where the address has none.

        `alt` says in words what a picture shows, `title` stands above it instead of the name.
        Raises `DeliveryUnknown`, `ConversationGone`, `DeliveryRefused`; what was not shown yet is
        repeated.
        """
        team = address.team
        url, file = await self._place(team, name, len(data), alt)
        budget = RetryBudget(self._limits.retry_policy, self._clock)
        await retrying(lambda: self._put(url, data), budget, "slack_upload_failed")
        thread = address.thread or TOP
        await self._api.call(
            team,
            "files.completeUploadExternal",
            files=[{"id": file, "title": title or name}],
            channel_id=address.channel,
            thread_ts=None if thread == TOP else thread,
        )

    async def _place(self, team: str, name: str, length: int, alt: str) -> tuple[str, str]:
        """Ask where the bytes go; returns the address and the file's id."""
        answer = await self._api.call(
            team,
            "files.getUploadURLExternal",
            repeatable=True,
            filename=name,
            length=length,
            alt_txt=alt or None,
        )
        url, file = string(answer.get("upload_url")), string(answer.get("file_id"))
        if not self._hosts.upload(url):
            raise SlackError(0, "the upload address is not Slack's")
        return url, file

    async def _put(self, url: str, data: bytes) -> None:
        """Send the bytes once; nothing is shown yet, so that may be repeated."""
        headers = {"Content-Type": "application/octet-stream"}
        timeout = ClientTimeout(total=self._limits.send_seconds)
        try:
            async with self._guard.request(
                "POST", url, local=self._hosts.local, data=data, headers=headers, timeout=timeout
            ) as response:
                status, wait = response.status, retry_after(response.headers)
        except AddressRefused as refused:
            raise AttemptFailed(SlackError(0, str(refused)), retry=False) from None
        except (ClientError, TimeoutError) as error:
            raise AttemptFailed(SlackError(0, type(error).__name__), retry=True) from None
        if not 200 <= status < 300:
            problem = SlackError(status, "upload")
            raise AttemptFailed(problem, retry=is_temporary(status), requested_wait=wait)
