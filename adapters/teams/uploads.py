"""Uploads of accepted files to the URL that Teams names.

https://learn.microsoft.com/graph/api/driveitem-createuploadsession
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from aiohttp import ClientError, ClientTimeout

from adapters.http.ssrf_guard import AddressRefused
from bot.clock import Clock
from bot.retry import AttemptFailed, RetryBudget, is_temporary, retry_after, retrying

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from adapters.http.ssrf_guard import Guard
    from adapters.teams.addresses import TeamsAddress
    from adapters.teams.files import TeamsFiles
    from adapters.teams.settings import TeamsLimits

log = structlog.get_logger()

CHUNK = 3 * 320 * 1024
"""Bytes of one request; except for the last one, it must be a multiple of 320 KiB."""


class UploadRefused(Exception):
    """A part of a file was not accepted; the message is the HTTP status or the error."""


class Uploads:
    """Uploads files to signed URLs: public, by https, and without any token."""

    def __init__(
        self, guard: Guard, files: TeamsFiles, limits: TeamsLimits, clock: Clock | None = None
    ) -> None:
        self._guard = guard
        self._files = files
        self._limits = limits
        self._clock = clock or Clock()

    async def upload(self, address: TeamsAddress, url: str, data: bytes) -> bool:
        """Upload a file in parts, in order, and return whether all were accepted."""
        local = self._files.local_origin(address)
        try:
            for start in range(0, len(data), CHUNK):
                await self._upload_part(url, local, data, start)
        except AddressRefused as error:
            log.warning("upload_refused", why=str(error))
            return False
        except UploadRefused:
            return False
        return True

    async def _upload_part(self, url: str, local: str, data: bytes, start: int) -> None:
        """Upload one part, retrying temporary failures; raises `UploadRefused`."""
        part = data[start : start + CHUNK]
        headers = {
            "Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(data)}",
            "Content-Type": "application/octet-stream",
        }
        timeout = ClientTimeout(total=self._limits.send_seconds)

        async def attempt() -> None:
            try:
                async with self._guard.request(
                    "PUT", url, local=local, data=part, headers=headers, timeout=timeout
                ) as response:
                    _check(response)
            except (ClientError, TimeoutError) as error:
                raise AttemptFailed(UploadRefused(type(error).__name__), retry=True) from None

        budget = RetryBudget(self._limits.retry_policy, self._clock)
        await retrying(attempt, budget, "upload_failed")


def _check(response: ClientResponse) -> None:
    """Raise `AttemptFailed` unless the part was accepted."""
    status = response.status
    if not 200 <= status < 300:
        problem = UploadRefused(str(status))
        wait = retry_after(response.headers)
        raise AttemptFailed(problem, retry=is_temporary(status), requested_wait=wait)
