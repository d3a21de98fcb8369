"""Downloads of files from addresses that strangers name, to disk, within limits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import ClientError, ClientTimeout
from aiohttp.hdrs import AUTHORIZATION, LOCATION
from pydantic import Field
from pydantic_settings import SettingsConfigDict
from yarl import URL

from adapters.http.file_writer import remove, writing
from adapters.http.ssrf_guard import AddressRefused, parse
from bot.clock import Clock
from bot.domain.size_limits import SizeLimits
from bot.errors import FileProblem, Reason
from bot.media.size_limits import ByteCounter
from bot.retry import (
    AttemptFailed,
    RetryBudget,
    RetryPolicy,
    is_temporary,
    retry_after,
    retrying,
)
from bot.settings import Section

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from adapters.http.ssrf_guard import Guard

BLOCK = 256 * 1024
"""Bytes that are collected before they are written in a thread."""
HOPS = 5
"""Most redirects of one download."""
GRACE = 5.0
"""Seconds before a download may be called too slow."""
REDIRECTS = {301, 302, 303, 307, 308}
PAGES = {"text/html", "application/xhtml+xml"}


class DownloadSettings(Section):
    """How long a download may take."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_DOWNLOAD_")

    seconds: float = Field(
        60,
        gt=0,
        le=3600,
        description="longest download of a file that is not a video, with all attempts, seconds",
    )
    video_seconds: float = Field(
        240, gt=0, le=3600, description="longest download of a video, seconds"
    )
    idle_seconds: float = Field(
        15, gt=0, le=600, description="longest pause of a download, seconds"
    )
    min_rate: float = Field(8 * 1024, ge=0, description="slowest download, bytes per second")
    tries: int = Field(3, ge=1, description="attempts for a download that fails temporarily")


@dataclass(frozen=True, slots=True)
class _Download:
    """A download with all its attempts; `deadline` ends it, at `latest` (loop time) if extended."""

    url: str
    into: Path
    allowance: SizeLimits
    bearer: str
    local: str
    deadline: asyncio.Timeout
    latest: float

    def take_longer(self) -> None:
        """Extend the deadline to that of a video."""
        if self.deadline.when() != self.latest:
            self.deadline.reschedule(self.latest)


class Downloads:
    """Fetches files through a guard; every failure is a `FileProblem` and leaves no file."""

    def __init__(
        self, guard: Guard, settings: DownloadSettings, clock: Clock | None = None
    ) -> None:
        self._guard = guard
        self._settings = settings
        self._clock = clock or Clock()
        self._timeout = ClientTimeout(
            total=None, sock_connect=settings.idle_seconds, sock_read=settings.idle_seconds
        )

    async def fetch(
        self, url: str, into: Path, allowance: SizeLimits, *, bearer: str = "", local: str = ""
    ) -> None:
        """Download `url` to the file `into`, within the limits; raises `FileProblem`.

        `bearer` is sent to the origin of `url` only. `local` is an origin on this machine that is
        allowed if `url` belongs to it (see `Guard`); redirects must not lead away from it.
        """
        latest = asyncio.get_running_loop().time() + self._settings.video_seconds
        try:
            async with asyncio.timeout(self._settings.seconds) as deadline:
                await self._retry(_Download(url, into, allowance, bearer, local, deadline, latest))
        except TimeoutError:
            await remove(into)
            raise _unreachable("too slow") from None
        except BaseException:
            await remove(into)
            raise

    async def _retry(self, download: _Download) -> None:
        async def attempt() -> None:
            try:
                await self._follow(download)
            except ClientError as error:
                raise AttemptFailed(_unreachable(type(error).__name__), retry=True) from None

        longest = max(self._settings.seconds, self._settings.video_seconds)
        budget = RetryBudget(RetryPolicy(self._settings.tries, longest), self._clock)
        try:
            await retrying(attempt, budget, "download_failed", host=URL(download.url).host)
        except AddressRefused as refusal:
            raise FileProblem(Reason.REFUSED_ADDRESS, str(refusal)) from None

    async def _follow(self, download: _Download) -> None:
        """Make one attempt, through all redirects."""
        address, bearer = parse(download.url), download.bearer
        local = download.local if str(address.origin()) == download.local else ""
        for _ in range(HOPS + 1):
            headers = {AUTHORIZATION: f"Bearer {bearer}"} if bearer else {}
            async with self._guard.request(
                "GET", str(address), local=local, headers=headers, timeout=self._timeout
            ) as response:
                if response.status not in REDIRECTS:
                    _check(response, bearer)
                    await self._save(response, download)
                    return
                target = _target(address, response)
            if target.origin() != address.origin():
                bearer = ""
                if local:
                    raise AddressRefused("a redirect away from this machine")
            address = target
        raise _unreachable("too many redirects")

    async def _save(self, response: ClientResponse, download: _Download) -> None:
        """Stream the body to the file, writing in a thread so that the event loop never blocks."""
        counter = ByteCounter(download.allowance, response.content_length or 0)
        buffer, start = bytearray(), self._clock.now()
        async with writing(download.into) as file:
            async for chunk in response.content.iter_any():
                counter.add(chunk)
                if counter.kind.demuxer:
                    download.take_longer()
                self._check_rate(counter.size, self._clock.now() - start)
                buffer += chunk
                if len(buffer) >= BLOCK:
                    block, buffer = buffer, bytearray()
                    await asyncio.to_thread(file.write, block)
            await asyncio.to_thread(file.write, buffer)

    def _check_rate(self, size: int, seconds: float) -> None:
        if seconds > GRACE and size < seconds * self._settings.min_rate:
            raise _unreachable("too slow")


def _unreachable(detail: str) -> FileProblem:
    return FileProblem(Reason.UNREACHABLE, detail)


def _check(response: ClientResponse, bearer: str) -> None:
    """Raise `FileProblem` or `AttemptFailed` unless the response brings the file."""
    status = response.status
    if status in {401, 403}:
        raise FileProblem(Reason.FORBIDDEN if bearer else Reason.EXPIRED, str(status))
    if status in {404, 410}:
        raise FileProblem(Reason.NOT_FOUND, str(status))
    if is_temporary(status):
        wait = retry_after(response.headers)
        raise AttemptFailed(_unreachable(str(status)), retry=True, requested_wait=wait)
    if not 200 <= status < 300:
        raise _unreachable(str(status))
    if response.content_type in PAGES:
        raise FileProblem(Reason.NOT_A_FILE)


def _target(address: URL, response: ClientResponse) -> URL:
    """Return where a redirect leads; raises `AddressRefused`."""
    try:
        return parse(str(address.join(URL(response.headers.get(LOCATION, ""), encoded=True))))
    except ValueError:
        raise AddressRefused("a redirect to nowhere") from None
