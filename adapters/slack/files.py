"""Files that people post, fetched from Slack's hosts with the bot's token.

https://docs.slack.dev/reference/objects/file-object/
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from adapters.http.json_fields import string
from adapters.slack.attachments import attachment_of
from adapters.slack.errors import SlackError
from adapters.slack.workspaces import UnknownTeam, WorkspaceUnknown
from bot.errors import FileProblem, Reason
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.http.download import Downloads
    from adapters.slack.addresses import SlackAddress
    from adapters.slack.hosts import SlackHosts
    from adapters.slack.web_api import SlackApi
    from adapters.slack.workspaces import Workspaces
    from bot.domain.messages import Attachment
    from bot.domain.size_limits import SizeLimits

log = structlog.get_logger()

OUT_OF_REACH = {
    *(Reason.EXPIRED, Reason.FORBIDDEN, Reason.NOT_FOUND, Reason.REFUSED_ADDRESS),
    Reason.UNREACHABLE,
}
"""Reasons why bytes did not come, where a smaller copy of the picture still may."""

PAGE = "text/html"
"""The type of a file that would look like a sign-in page."""

DELETED_FILE = {"file_deleted", "file_not_found"}
"""Error codes of `files.info` for a deleted file."""


class SlackFiles:
    """Fetches attachments; the bot's token goes to Slack's file hosts and nowhere else."""

    def __init__(
        self, downloads: Downloads, workspaces: Workspaces, api: SlackApi, hosts: SlackHosts
    ) -> None:
        self._downloads = downloads
        self._workspaces = workspaces
        self._api = api
        self._hosts = hosts

    async def with_details(self, team: str, file: Attachment) -> Attachment:
        """Return a file that came as a stub (Slack Connect) with its details; never fails.

        Without an answer from Slack it stays as it is; a deleted file gets that problem.
        """
        if file.problem or file.source.get("url"):
            return file
        file_id = string(file.source.get("id"))
        try:
            response = await self._api.call(team, "files.info", repeatable=True, file=file_id)
        except (ConversationGone, DeliveryRefused, DeliveryUnknown) as error:
            log.info("file_unknown", why=str(error))
            is_deleted = isinstance(error, SlackError) and error.error in DELETED_FILE
            return replace(file, problem=Reason.DELETED) if is_deleted else file
        details = response.get("file")
        return attachment_of(details) if isinstance(details, dict) else file

    async def fetch(
        self, address: SlackAddress, file: Attachment, into: Path, allowance: SizeLimits
    ) -> bool:
        """Write a file's bytes to `into`, no more than is allowed; raises `FileProblem`.

        If they cannot be fetched, the largest smaller copy that Slack made takes their place, and
        the method returns false.
        """
        team = address.team
        file = await self.with_details(team, file)
        if file.problem:
            raise FileProblem(file.problem)
        if file.declared == PAGE:
            raise FileProblem(Reason.UNSUPPORTED, "HTML")
        token = await self._token(team)
        try:
            await self._get(string(file.source.get("url")), token, into, allowance)
        except FileProblem as problem:
            if problem.reason not in OUT_OF_REACH:
                raise
            if not await self._fetch_smaller_copy(file, token, into, allowance):
                raise
            return False
        return True

    async def _fetch_smaller_copy(
        self, file: Attachment, token: str, into: Path, allowance: SizeLimits
    ) -> bool:
        """Fetch the largest smaller copy that can be had; returns false if none can."""
        for url in file.source.get("thumbs", ()):
            try:
                await self._get(string(url), token, into, allowance)
            except FileProblem as problem:
                log.info("thumbnail_failed", why=problem.reason.value)
            else:
                log.info("thumbnail_used")
                return True
        return False

    async def _get(self, url: str, token: str, into: Path, allowance: SizeLimits) -> None:
        """Fetch one URL of Slack's; a sign-in page means that Loupe may not see the file."""
        if not url:
            raise FileProblem(Reason.FORBIDDEN, "no URL")
        if not self._hosts.files(url):
            raise FileProblem(Reason.REFUSED_ADDRESS, "not a file host of Slack's")
        try:
            await self._downloads.fetch(url, into, allowance, bearer=token, local=self._hosts.local)
        except FileProblem as problem:
            if problem.reason is Reason.NOT_A_FILE:
                raise FileProblem(Reason.FORBIDDEN, "a sign-in page") from None
            raise

    async def _token(self, team: str) -> str:
        try:
            return (await self._workspaces.of(team)).token
        except (UnknownTeam, WorkspaceUnknown) as error:
            raise FileProblem(Reason.UNREACHABLE, str(error)) from None
