"""Azure AI Vision Image Analysis 4.0: text, objects, people, captions.

The service ends on 2028-09-25. Only some regions have captions; whether the resource's region does
is found out with the first picture, and remembered.
https://learn.microsoft.com/azure/ai-services/computer-vision/overview-image-analysis
"""

from __future__ import annotations

import asyncio
import io
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import structlog
from azure.ai.vision.imageanalysis.models import VisualFeatures
from azure.core.exceptions import AzureError

from adapters.vision.azure_client import AzureClient
from adapters.vision.azure_image import LARGEST, blank, presentable
from adapters.vision.azure_response import sighting
from adapters.vision.errors import REMEDIES, lacks_captions
from adapters.vision.full_resolution import larger
from bot.domain.sightings import Sighting
from bot.errors import FileProblem, VisionProblem, VisionReason
from bot.sandbox import ChildProcesses

if TYPE_CHECKING:
    from pathlib import Path

    from azure.ai.vision.imageanalysis.models import ImageAnalysisResult
    from azure.core.credentials_async import AsyncTokenCredential

    from adapters.vision.settings import VisionSettings
    from bot.clock import Clock
    from bot.limits import ChildLimits, FileLimits

FEATURES = [VisualFeatures.READ, VisualFeatures.OBJECTS, VisualFeatures.PEOPLE]
WITH_CAPTIONS = [*FEATURES, VisualFeatures.DENSE_CAPTIONS]
NOT_SENT = "Azure AI Vision (not looked at: too narrow or too large for it)"

log = structlog.get_logger()


class AzureVision:
    """A `Vision` of one Azure AI Vision resource.

    `credential` takes the place of the key, or of the identity that azure-identity finds.
    """

    def __init__(
        self,
        settings: VisionSettings,
        limits: FileLimits,
        children: ChildLimits,
        credential: AsyncTokenCredential | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.resource = AzureClient(settings, credential, clock)
        self._settings = settings
        self._limits = limits
        self._children = ChildProcesses(children, limits)
        self._captions: bool | None = None
        self._finding_out = asyncio.Lock()

    async def look(
        self, jpeg: bytes, original: Path | None = None, *, upright: bool = False
    ) -> Sighting:
        """Have an upright JPEG looked at, or a larger one made from its original file.

        A picture that the service does not accept yields an empty sighting whose engine says so.
        Raises `FileProblem` if the service refuses the picture, else `VisionProblem`.
        """
        async with self.resource.at_once:
            picture = await self._picture(jpeg, original)
            if picture is None:
                return Sighting(engine=NOT_SENT)
            result = await self._analyse(picture)
        try:
            return sighting(result, self._settings.people)
        except (LookupError, TypeError, ValueError) as error:
            raise VisionProblem(VisionReason.FAILED, type(error).__name__) from None

    async def _picture(self, jpeg: bytes, original: Path | None) -> bytes | None:
        """Return the JPEG to send: made from the original if that shows more and fits."""
        if original is not None:
            side = self._settings.upload_side
            try:
                larger_jpeg = await self._children.run(larger, jpeg, original, self._limits, side)
            except (FileProblem, OSError):
                larger_jpeg = None
            if larger_jpeg is not None and len(larger_jpeg) < LARGEST:
                return larger_jpeg
        return await asyncio.to_thread(presentable, jpeg)

    async def _analyse(self, picture: bytes) -> ImageAnalysisResult:
        """Ask for captions too, unless the region has none, which the first request finds out."""
        async with self._known():
            if self._captions is False:
                return await self._request(picture, FEATURES)
            try:
                result = await self._request(picture, WITH_CAPTIONS)
                self._captions = True
            except AzureError:
                result = await self._request(picture, FEATURES)
                self._captions = False
                log.info("vision_without_captions", host=self.resource.host)
            return result

    def _known(self) -> AbstractAsyncContextManager[Any]:
        return self._finding_out if self._captions is None else nullcontext()

    async def _request(self, picture: bytes, features: list[VisualFeatures]) -> ImageAnalysisResult:
        """Send a request, with retries; raises `AzureError` if the region lacks captions."""
        resource = self.resource

        async def send() -> ImageAnalysisResult:
            return await resource.client.analyze(_sent(picture), features, **resource.options)

        return await resource.ask(send, lacks_captions if features is WITH_CAPTIONS else None)

    async def check(self) -> str:
        """Have a blank picture looked at and return a sentence about it; raises `VisionProblem`."""
        try:
            result = await self.look(await asyncio.to_thread(blank))
        except VisionProblem as trouble:
            remedy = REMEDIES.get(trouble.reason, "Try again later.")
            detail = f"{trouble.detail} from {self.resource.host}. {remedy}"
            raise VisionProblem(trouble.reason, detail) from None
        captions = "with" if self._captions else "without"
        return (
            f"{result.engine} answers at {self.resource.host}, {captions} captions in its region."
        )

    async def close(self) -> None:
        """Close the connections, and end the child processes if there are any."""
        await self.resource.close()
        await self._children.close()


def _sent(picture: bytes) -> Any:
    """Return a body that is sent in pieces; the client accepts any, whatever its types say."""
    return io.BytesIO(picture)
