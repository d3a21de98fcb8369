"""Downloads files from addresses that strangers name, to disk, within limits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from aiohttp import ClientError, ClientTimeout
from aiohttp.hdrs import AUTHORIZATION, LOCATION
from pydantic import Field
from pydantic_settings import SettingsConfigDict
from yarl import URL

from adapters.files import writing
from adapters.guard import AddressRefused, parse
from adapters.retries import Clock, Patience, Retries, retry_after
from bot.problems import FileProblem, Reason
from bot.settings import Section

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import ClientResponse

    from adapters.guard import Guard

log = structlog.get_logger()

BLOCK = 256 * 1024
"""Bytes gathered before a write goes to a thread."""
HOPS = 5
"""Most redirects of one download."""
GRACE = 5.0
"""Seconds before the rate of a download is judged."""
REDIRECTS = {301, 302, 303, 307, 308}
PAGES = {"text/html", "application/xhtml+xml"}


class DownloadSettings(Section):
    """How long a download may take."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_DOWNLOAD_")

    seconds: float = Field(60, gt=0, le=3600, description="longest download with all its tries")
    idle_seconds: float = Field(15, gt=0, le=600, description="longest pause of a download")
    min_rate: float = Field(8 * 1024, ge=0, description="slowest download, bytes a second")
    tries: int = Field(3, ge=1, description="tries of a download that fails in passing")


class _Passing(Exception):
    """A failure that may be over soon; `asked` are the seconds that the server asked to wait."""

    def __init__(self, what: str, asked: float | None = None) -> None:
        super().__init__(what)
        self.asked = asked


class Downloads:
    """Fetches files through a guard; every failure is a `FileProblem`, and leaves no file."""

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
        self, url: str, into: Path, limit: int, *, bearer: str = "", local: str = ""
    ) -> None:
        """Write the file at `url` to `into`, at most `limit` bytes; raises `FileProblem`.

        `bearer` goes to the origin of `url` only. `local` is an origin on this machine that may be
        asked, if `url` is of it (see `Guard`); redirects do not lead away from it.
        """
        try:
            async with asyncio.timeout(self._settings.seconds):
                await self._insist(url, into, limit, bearer, local)
        except TimeoutError:
            await _remove(into)
            raise FileProblem(Reason.UNREACHABLE, "too slow") from None
        except BaseException:
            await _remove(into)
            raise

    async def _insist(self, url: str, into: Path, limit: int, bearer: str, local: str) -> None:
        settings = self._settings
        retries = Retries(Patience(settings.tries, settings.seconds), self._clock)
        while True:
            try:
                await self._follow(url, into, limit, bearer, local)
            except AddressRefused as refused:
                raise FileProblem(Reason.REFUSED_ADDRESS, str(refused)) from None
            except (_Passing, ClientError) as error:
                what = str(error) if isinstance(error, _Passing) else type(error).__name__
                log.info("download_failed", host=URL(url).host, why=what)
                if not await retries.again(getattr(error, "asked", None)):
                    raise FileProblem(Reason.UNREACHABLE, what) from None
            else:
                return

    async def _follow(self, url: str, into: Path, limit: int, bearer: str, local: str) -> None:
        address = parse(url)
        if str(address.origin()) != local:
            local = ""
        for _ in range(HOPS + 1):
            headers = {AUTHORIZATION: f"Bearer {bearer}"} if bearer else {}
            async with self._guard.request(
                "GET", str(address), local=local, headers=headers, timeout=self._timeout
            ) as response:
                if response.status not in REDIRECTS:
                    _judge(response, bearer, limit)
                    await self._save(response, into, limit)
                    return
                target = _target(address, response)
            if target.origin() != address.origin():
                bearer = ""
                if local:
                    raise AddressRefused("a redirect away from this machine")
            address = target
        raise FileProblem(Reason.UNREACHABLE, "too many redirects")

    async def _save(self, response: ClientResponse, into: Path, limit: int) -> None:
        """Stream the body to the file; the loop waits for no disk."""
        size, waiting, started = 0, bytearray(), self._clock.now()
        async with writing(into) as file:
            async for chunk in response.content.iter_any():
                size += len(chunk)
                if size > limit:
                    raise FileProblem(Reason.TOO_LARGE)
                self._keep_pace(size, self._clock.now() - started)
                waiting += chunk
                if len(waiting) >= BLOCK:
                    full, waiting = waiting, bytearray()
                    await asyncio.to_thread(file.write, full)
            await asyncio.to_thread(file.write, waiting)

    def _keep_pace(self, size: int, seconds: float) -> None:
        if seconds > GRACE and size < seconds * self._settings.min_rate:
            raise FileProblem(Reason.UNREACHABLE, "too slow")


def _judge(response: ClientResponse, bearer: str, limit: int) -> None:
    """Let pass only a response that brings the file."""
    status = response.status
    if status in {401, 403}:
        raise FileProblem(Reason.FORBIDDEN if bearer else Reason.EXPIRED, str(status))
    if status in {404, 410}:
        raise FileProblem(Reason.NOT_FOUND, str(status))
    if status in {408, 429} or status >= 500:
        raise _Passing(str(status), retry_after(response.headers))
    if not 200 <= status < 300:
        raise FileProblem(Reason.UNREACHABLE, str(status))
    if response.content_type in PAGES:
        raise FileProblem(Reason.NOT_A_FILE)
    if (response.content_length or 0) > limit:
        raise FileProblem(Reason.TOO_LARGE)


def _target(address: URL, response: ClientResponse) -> URL:
    """Resolve where a redirect leads; raises `AddressRefused`."""
    try:
        return parse(str(address.join(URL(response.headers.get(LOCATION, ""), encoded=True))))
    except ValueError:
        raise AddressRefused("a redirect to nowhere") from None


async def _remove(path: Path) -> None:
    await asyncio.to_thread(path.unlink, missing_ok=True)
