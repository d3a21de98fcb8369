"""Uploads of accepted files to the address that Teams names.

https://learn.microsoft.com/graph/api/driveitem-createuploadsession
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from aiohttp import ClientError, ClientTimeout

from adapters.http.retry import Retries, retry_after
from adapters.http.ssrf_guard import AddressRefused
from bot.clock import Clock

if TYPE_CHECKING:
    from adapters.http.ssrf_guard import Guard
    from adapters.teams.files import TeamsFiles
    from adapters.teams.limits import TeamsLimits
    from bot.domain.messages import Address

log = structlog.get_logger()

CHUNK = 3 * 320 * 1024
"""Bytes of one request; all but the last have to be a multiple of 320 KiB."""


class Uploads:
    """Puts bytes where a signed address takes them: https, public, and without any token."""

    def __init__(
        self, guard: Guard, files: TeamsFiles, limits: TeamsLimits, clock: Clock | None = None
    ) -> None:
        self._guard = guard
        self._files = files
        self._limits = limits
        self._clock = clock or Clock()

    async def upload(self, address: Address, url: str, data: bytes) -> bool:
        """Upload a file in pieces, in order; False when it was not taken."""
        local = self._files.local_origin(address)
        try:
            for start in range(0, len(data), CHUNK):
                if not await self._put(url, local, data, start):
                    return False
        except AddressRefused as refused:
            log.warning("upload_refused", why=str(refused))
            return False
        return True

    async def _put(self, url: str, local: str, data: bytes, start: int) -> bool:
        """Upload one piece, again while the failure may pass."""
        piece = data[start : start + CHUNK]
        headers = {
            "Content-Range": f"bytes {start}-{start + len(piece) - 1}/{len(data)}",
            "Content-Type": "application/octet-stream",
        }
        timeout = ClientTimeout(total=self._limits.send_seconds)
        retries = Retries(self._limits.patience, self._clock)
        while True:
            asked = None
            try:
                async with self._guard.request(
                    "PUT", url, local=local, data=piece, headers=headers, timeout=timeout
                ) as response:
                    if 200 <= response.status < 300:
                        return True
                    why, passing = str(response.status), response.status in {408, 429}
                    passing = passing or response.status >= 500
                    asked = retry_after(response.headers)
            except (ClientError, TimeoutError) as error:
                why, passing = type(error).__name__, True
            log.info("upload_failed", why=why)
            if not (passing and await retries.again(asked)):
                return False
