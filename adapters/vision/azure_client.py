"""An Azure AI Vision resource: its client, its rate and its retries, for all its services."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from azure.ai.vision.imageanalysis.aio import ImageAnalysisClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.rest import HttpRequest
from azure.identity.aio import DefaultAzureCredential

from adapters.http.rate_limit import RateLimiter
from adapters.vision.errors import problem
from bot.clock import Clock
from bot.errors import VisionProblem, VisionReason
from bot.retry import AttemptFailed, RetryBudget, RetryPolicy, retry_after, retrying

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from azure.core.credentials_async import AsyncTokenCredential

    from adapters.vision.settings import VisionSettings

T = TypeVar("T")

API_VERSION = "2024-02-01"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
"""Hosts that may get an identity's token without TLS: simulators on this machine."""


class AzureClient:
    """The client of one resource, for all its services.

    `credential` takes the place of the key, or of the identity that azure-identity finds;
    `at_once` limits how many pictures are with the resource at the same time.
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
        self._rate_limiter = RateLimiter(self._clock, longest=settings.wait_seconds)
        self._credential = credential
        self.client = self._connected()
        local = self._credential is not None and self.host in LOOPBACK
        self.options: dict[str, Any] = {"enforce_https": False} if local else {}

    def _connected(self) -> ImageAnalysisClient:
        """Return the client; it neither retries nor follows redirects, which could leak the key."""
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
        """Send a request that the client has no method for, and return the JSON of the response.

        `request` has the arguments of `azure.core.rest.HttpRequest`. Raises `AzureError` or
        `ValueError`.
        """
        http_request = HttpRequest("POST", f"/{operation}", **request)
        response = await self.client.send_request(http_request, **self.options)
        if response.status_code != 200:
            raise HttpResponseError(response=response)
        return response.json()

    async def ask(
        self, send: Callable[[], Awaitable[T]], lacks: Callable[[Exception], bool] | None = None
    ) -> T:
        """Send a request, each time in its turn, until it works.

        Raises `FileProblem` or `VisionProblem`, except for an `AzureError` that `lacks` recognizes
        as that of a region without the feature: that one is raised as it is.
        """
        settings = self.settings

        async def attempt() -> T:
            await self._turn()
            try:
                async with asyncio.timeout(settings.request_seconds):
                    return await send()
            except (AzureError, TimeoutError, ValueError) as error:
                if lacks is not None and lacks(error):
                    raise
                raise self._failure(error) from None

        budget = RetryBudget(RetryPolicy(settings.tries, settings.retry_seconds), self._clock)
        return await retrying(
            attempt, budget, "vision_failed", level=logging.WARNING, host=self.host
        )

    async def _turn(self) -> None:
        """Wait for a turn; raises `VisionProblem` (`BUSY`) at once if that would take too long."""
        rates, longest = (self.settings.pace,), self.settings.wait_seconds
        if self._rate_limiter.delay(self.host, rates) > longest:
            raise VisionProblem(VisionReason.BUSY, f"no turn within {longest:g} s")
        await self._rate_limiter.turn(self.host, rates)

    def _failure(self, error: Exception) -> AttemptFailed:
        """Return what went wrong, and hold all requests for as long as the service asks."""
        trouble = problem(error)
        wait = retry_after(getattr(getattr(error, "response", None), "headers", {}))
        if wait is not None:
            self._rate_limiter.hold(self.host, min(wait, self.settings.retry_seconds))
        temporary = isinstance(trouble, VisionProblem) and trouble.temporary
        return AttemptFailed(trouble, retry=temporary, requested_wait=wait)

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()
        if self._credential is not None:
            await self._credential.close()
