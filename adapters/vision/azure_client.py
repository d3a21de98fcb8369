"""An Azure AI Vision resource: its client, its rate, and trying again, for all that asks it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import structlog
from azure.ai.vision.imageanalysis.aio import ImageAnalysisClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.rest import HttpRequest
from azure.identity.aio import DefaultAzureCredential

from adapters.http.retry import Retries, RetryPolicy, retry_after
from adapters.vision.azure_errors import PASSING, problem
from adapters.vision.azure_rate_limit import WindowRateLimiter
from bot.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from azure.core.credentials_async import AsyncTokenCredential

    from adapters.vision.settings import VisionSettings

T = TypeVar("T")

API_VERSION = "2024-02-01"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
"""Hosts that an identity's token may go to without TLS: simulators on this machine."""

log = structlog.get_logger()


class AzureClient:
    """What one resource needs to be asked, once for all its services.

    `credential` takes the place of the key, or of the identity that azure-identity finds;
    `at_once` lets only so many pictures be with the resource at the same time.
    """

    def __init__(
        self,
        settings: VisionSettings,
        credential: AsyncTokenCredential | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.settings = settings
        self.host = urlsplit(settings.resource).hostname or ""
        self.at_once = asyncio.Semaphore(settings.at_once)
        self._clock = clock or Clock()
        self._pace = WindowRateLimiter(*settings.pace, self._clock)
        self._credential = credential
        self.client = self._connected()
        local = self._credential is not None and self.host in LOOPBACK
        self.options: dict[str, Any] = {"enforce_https": False} if local else {}

    def _connected(self) -> ImageAnalysisClient:
        """Make the client; it neither retries nor follows redirects, which could take the key."""
        key = self.settings.key
        if key is None and self._credential is None:
            self._credential = DefaultAzureCredential()
        return ImageAnalysisClient(
            self.settings.resource,
            self._credential or AzureKeyCredential(key.get_secret_value() if key else ""),
            api_version=API_VERSION,
            credential_scopes=[self.settings.scope],
            retry_total=0,
            permit_redirects=False,
        )

    async def post(self, operation: str, **request: Any) -> Any:
        """Send one request that the client has no method for; returns the JSON of the answer.

        `request` is what `azure.core.rest.HttpRequest` takes. Raises `AzureError` or `ValueError`.
        """
        asked = HttpRequest("POST", f"/{operation}", **request)
        response = await self.client.send_request(asked, **self.options)
        if response.status_code != 200:
            raise HttpResponseError(response=response)
        return response.json()

    async def ask(
        self, send: Callable[[], Awaitable[T]], lacks: Callable[[Exception], bool] | None = None
    ) -> T:
        """Send a request, each time in its turn, until it works.

        Raises `FileProblem` or `VisionProblem`, except for an `AzureError` that `lacks` knows as
        that of a region without the feature: that one is raised as it is.
        """
        settings = self.settings
        retries = Retries(RetryPolicy(settings.tries, settings.retry_seconds), self._clock)
        while True:
            await self._pace.turn(settings.wait_seconds)
            try:
                async with asyncio.timeout(settings.request_seconds):
                    return await send()
            except (AzureError, TimeoutError, ValueError) as error:
                if lacks is not None and lacks(error):
                    raise
                await self._again(error, retries)

    async def _again(self, error: Exception, retries: Retries) -> None:
        """Wait until the next request; raises the problem when there is none."""
        trouble = problem(error)
        asked = retry_after(getattr(getattr(error, "response", None), "headers", {}))
        log.warning("vision_failed", host=self.host, reason=trouble.reason.value, asked=asked)
        if asked is not None:
            self._pace.hold(min(asked, self.settings.retry_seconds))
        if trouble.reason not in PASSING or not await retries.again(asked):
            raise trouble from None

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()
        if self._credential is not None:
            await self._credential.close()
