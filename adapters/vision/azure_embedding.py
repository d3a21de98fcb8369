"""Multimodal embeddings of pictures and words by Azure AI Vision.

Only some regions have them; whether the resource's region does is found out once. Vectors of
different model versions cannot be compared, so the version is fixed.
https://learn.microsoft.com/azure/ai-services/computer-vision/how-to/image-retrieval
"""

from __future__ import annotations

import asyncio
import io
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog
from azure.core.exceptions import AzureError

from adapters.vision.azure_client import API_VERSION
from adapters.vision.azure_image import presentable
from adapters.vision.errors import lacks_embeddings
from bot.errors import FileProblem, Reason, VisionProblem, VisionReason

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.vision.azure_client import AzureClient
    from bot.ports.embedding import Vector

MODEL_VERSION = "2023-04-15"
"""The multilingual version; 2022-04-11 knows only English."""
VERSIONS = {"api-version": API_VERSION, "model-version": MODEL_VERSION}
DIMENSIONS = 1024
MOST_WORDS = 70
LEAST_SIDE = 11
"""The documentation says "greater than 10"."""
BINARY = {"Content-Type": "application/octet-stream"}
NOT_OFFERED = "the region of the Azure AI Vision resource has no embeddings"

log = structlog.get_logger()


class AzureEmbedding:
    """An `Embedding` of one Azure AI Vision resource.

    With `is_shared` the caller closes the resource. A call takes at most as long as the wait for
    its turn, its retries and one more request, and then raises `VisionProblem` (`TIMED_OUT`).
    """

    def __init__(self, resource: AzureClient, *, is_shared: bool = False) -> None:
        settings = resource.settings
        self.resource = resource
        self._is_shared = is_shared
        self._seconds = settings.wait_seconds + settings.retry_seconds + settings.request_seconds
        self._in_region = True

    async def picture(self, jpeg: bytes) -> Vector:
        """Embed an upright JPEG; raises `FileProblem` if it is refused, or `VisionProblem`."""
        async with self._slot():
            picture = await asyncio.to_thread(presentable, jpeg, LEAST_SIDE)
            if picture is None:
                raise FileProblem(Reason.UNSUPPORTED, "too narrow or too large to be embedded")
            return await self._vector("vectorizeImage", content=io.BytesIO(picture), headers=BINARY)

    async def words(self, text: str) -> Vector:
        """Embed the first 70 words of a text; raises `VisionProblem`, also if there are none."""
        first = " ".join(text.split()[:MOST_WORDS])
        if not first:
            raise VisionProblem(VisionReason.BAD_REQUEST, "no words to embed")
        async with self._slot():
            try:
                return await self._vector("vectorizeText", json={"text": first})
            except FileProblem as refusal:
                raise VisionProblem(VisionReason.BAD_REQUEST, refusal.detail) from None

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        """Wait for a place with the service, and hold it no longer than a call may take."""
        try:
            async with asyncio.timeout(self._seconds), self.resource.at_once:
                if not self._in_region:
                    raise VisionProblem(VisionReason.FAILED, NOT_OFFERED)
                yield
        except TimeoutError:
            detail = f"no vector within {self._seconds:g} s"
            raise VisionProblem(VisionReason.TIMED_OUT, detail) from None

    async def _vector(self, operation: str, **request: Any) -> Vector:
        async def send() -> Any:
            return await self.resource.post(f"retrieval:{operation}", params=VERSIONS, **request)

        try:
            return _read(await self.resource.ask(send, lacks_embeddings))
        except AzureError:
            self._in_region = False
            log.info("vision_without_embeddings", host=self.resource.host)
            raise VisionProblem(VisionReason.FAILED, NOT_OFFERED) from None

    async def close(self) -> None:
        """Close the resource, unless another does."""
        if not self._is_shared:
            await self.resource.close()


def _read(fields: Any) -> Vector:
    """Read an answer, as parsed from JSON, in which NaN and infinity are numbers too."""
    values = fields.get("vector") if isinstance(fields, dict) else None
    if not isinstance(values, list) or len(values) != DIMENSIONS:
        raise VisionProblem(VisionReason.FAILED, f"no vector of {DIMENSIONS} numbers")
    if not all(map(_is_finite, values)) or not any(values):
        raise VisionProblem(VisionReason.FAILED, "a vector without a direction")
    return tuple(map(float, values))


def _is_finite(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= sys.float_info.max
