"""Downloads of files that people post: from which URLs, and with which credential."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import TYPE_CHECKING, Any

from adapters.http.urls import is_loopback_url, origin
from bot.errors import FileProblem, Reason
from bot.media.size_limits import ByteCounter
from bot.ports.channel import DeliveryRefused

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.http.download import Downloads
    from adapters.teams.access_token import BotToken
    from adapters.teams.addresses import TeamsAddress
    from adapters.teams.hosts import ConnectorHosts
    from bot.domain.messages import Attachment
    from bot.domain.size_limits import SizeLimits


class TeamsFiles:
    """Fetches attachments.

    The bot's token is sent only to the connector that the message came from; other files are
    fetched without it, from any public https URL. A connector on this machine (the playground's or
    a simulator's) may serve files from its own origin only, and in the playground mode nothing else
    is fetched.
    """

    def __init__(self, downloads: Downloads, token: BotToken, hosts: ConnectorHosts) -> None:
        self._downloads = downloads
        self._token = token
        self._hosts = hosts

    async def fetch(
        self, address: TeamsAddress, file: Attachment, into: Path, allowance: SizeLimits
    ) -> None:
        """Write a file's bytes to `into`, within the size limits; raises `FileProblem`."""
        if file.problem:
            raise FileProblem(file.problem)
        if "data" in file.source:
            await asyncio.to_thread(_decode, file.source["data"], into, allowance)
            return
        url = str(file.source.get("url", ""))
        local = self.local_origin(address)
        if self._hosts.only_local and not (local and origin(url) == local):
            raise FileProblem(Reason.REFUSED_ADDRESS, "not the playground's own")
        if file.source.get("credential") == "bot" and self._may_have_token(url, address.service):
            await self._fetch_as_bot(url, into, allowance, local)
        else:
            await self._downloads.fetch(url, into, allowance, local=local)

    def local_origin(self, address: TeamsAddress) -> str:
        """Return the origin of a connector on this machine, from which to fetch; else empty."""
        service = address.service
        if is_loopback_url(service) and self._hosts.is_connector(service):
            return origin(service)
        return ""

    def _may_have_token(self, url: str, service: str) -> bool:
        return origin(url) == origin(service) and self._hosts.is_connector(service)

    async def _fetch_as_bot(self, url: str, into: Path, allowance: SizeLimits, local: str) -> None:
        """Fetch with the bot's token, and once more with a new one if it is refused."""
        token = await self._token_value()
        try:
            await self._downloads.fetch(url, into, allowance, bearer=token, local=local)
        except FileProblem as problem:
            if not token or (problem.reason, problem.detail) != (Reason.FORBIDDEN, "401"):
                raise
            self._token.drop(token)
            token = await self._token_value()
            await self._downloads.fetch(url, into, allowance, bearer=token, local=local)

    async def _token_value(self) -> str:
        try:
            return await self._token.value()
        except DeliveryRefused as error:
            raise FileProblem(Reason.UNREACHABLE, str(error)) from None


def _decode(data: Any, into: Path, allowance: SizeLimits) -> None:
    """Write the bytes that a base64 text encodes."""
    if not isinstance(data, str):
        raise FileProblem(Reason.DAMAGED)
    data = "".join(data.split())
    counter = ByteCounter(allowance, declared_size=max(0, len(data) * 3 // 4 - 2))
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise FileProblem(Reason.DAMAGED) from None
    counter.add(content)
    into.write_bytes(content)
