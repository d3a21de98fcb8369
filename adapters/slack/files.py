"""Files that people post: where they are fetched, with which credential, and what stands in.

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
"""The bytes did not come; a smaller picture of the same may."""

PAGE = "text/html"
"""The type of a file that cannot be told from a page to sign in."""

MISSING = {"file_deleted", "file_not_found"}
"""What `files.info` says of a file that is gone."""


class SlackFiles:
    """Fetches attachments; the bot's token goes to Slack's file hosts and nowhere else."""

    def __init__(
        self, downloads: Downloads, workspaces: Workspaces, api: SlackApi, hosts: SlackHosts
    ) -> None:
        self._downloads = downloads
        self._workspaces = workspaces
        self._api = api
        self._hosts = hosts

    async def known(self, team: str, file: Attachment) -> Attachment:
        """Complete a file that came as a stub, as those of Slack Connect do; never fails.

        What Slack does not tell stays as it is; a file that is gone says so.
        """
        if file.problem or file.source.get("url"):
            return file
        asked = string(file.source.get("id"))
        try:
            answer = await self._api.call(team, "files.info", repeatable=True, file=asked)
        except (ConversationGone, DeliveryRefused, DeliveryUnknown) as error:
            log.info("file_unknown", why=str(error))
            missing = isinstance(error, SlackError) and error.error in MISSING
            return replace(file, problem=Reason.DELETED) if missing else file
        told = answer.get("file")
        return attachment_of(told) if isinstance(told, dict) else file

    async def fetch(
        self, address: SlackAddress, file: Attachment, into: Path, allowance: SizeLimits
    ) -> bool:
        """Write a file's bytes to `into`, no more than is allowed; raises `FileProblem`.

        Where they do not come, the largest picture that Slack made of the file stands in: then it
        returns false.
        """
        team = address.team
        file = await self.known(team, file)
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
            if not await self._stand_in(file, token, into, allowance):
                raise
            return False
        return True

    async def _stand_in(
        self, file: Attachment, token: str, into: Path, allowance: SizeLimits
    ) -> bool:
        """Fetch the largest smaller picture there is; False when there is none."""
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
        """Fetch one address of Slack's; a page to sign in means that the file is not shown."""
        if not url:
            raise FileProblem(Reason.FORBIDDEN, "no address")
        if not self._hosts.files(url):
            raise FileProblem(Reason.REFUSED_ADDRESS, "not a host of Slack's files")
        try:
            await self._downloads.fetch(url, into, allowance, bearer=token, local=self._hosts.local)
        except FileProblem as problem:
            if problem.reason is Reason.NOT_A_FILE:
                raise FileProblem(Reason.FORBIDDEN, "a page to sign in") from None
            raise

    async def _token(self, team: str) -> str:
        try:
            return (await self._workspaces.of(team)).token
        except (UnknownTeam, WorkspaceUnknown) as error:
            raise FileProblem(Reason.UNREACHABLE, str(error)) from None
