"""A server for tests that behaves like Azure AI Vision: Image Analysis 4.0 and embeddings.

    async with ImageAnalysisServer() as server:
        server.then(fail(429, "429", retry_after=1))
        ...
        assert server.requests[0].features == {"read", "objects", "people"}

It refuses what the service refuses: keys, versions, features, pictures; `captions` says whether
its region has captions. What no `then` foresees is answered with `seen`, of which the result has
what was asked for, in pixels of the picture that came. Pictures and texts are embedded as
`of_picture` and `of_text` tell; `embeddings` says whether the region has that.
"""

from __future__ import annotations

import io
import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web
from PIL import Image

from tests.servers.loopback import Loopback

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

KEY = "0123456789abcdef0123456789abcdef"
PATH = "/computervision/imageanalysis:analyze"
OF_PICTURES = "/computervision/retrieval:vectorizeImage"
OF_TEXTS = "/computervision/retrieval:vectorizeText"
VERSIONS = {"2023-10-01", "2024-02-01"}
FEATURES = {"read", "caption", "denseCaptions", "objects", "tags", "people", "smartCrops"}
CAPTIONS = {"caption", "denseCaptions"}
MODEL_VERSIONS = {"2022-04-11", "2023-04-15"}
DIMENSIONS = 1024
MOST_WORDS = 70
MOST_BYTES = 20 * 1024 * 1024

Box = tuple[float, float, float, float]
"""Left, top, width and height as fractions of the picture."""


@dataclass(frozen=True)
class PictureContent:
    """What the service sees in every picture: words of lines, objects, people, captions."""

    lines: tuple[tuple[Box, tuple[tuple[str, float], ...]], ...] = ()
    objects: tuple[tuple[Box, str, float], ...] = ()
    people: tuple[tuple[Box, float], ...] = ()
    captions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reply:
    """An answer as it is; with `cut` the connection breaks instead, after the body if any."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass(frozen=True)
class ReceivedRequest:
    """A request as it came."""

    features: set[str]
    version: str
    body: bytes = field(repr=False)
    key: str = ""
    token: str = ""
    path: str = PATH
    model: str = ""

    @property
    def text(self) -> str:
        """The text to embed; empty where there is none."""
        try:
            return str(json.loads(self.body)["text"])
        except (ValueError, KeyError, TypeError):
            return ""

    @property
    def size(self) -> tuple[int, int]:
        return Image.open(io.BytesIO(self.body)).size


def fail(
    status: int, code: str, inner: str = "", message: str = "", retry_after: float | None = None
) -> Reply:
    """Fail with the service's error body."""
    error: dict[str, Any] = {"code": code, "message": message or "It did not work."}
    if inner:
        error["innererror"] = {"code": inner, "message": message or "It did not work."}
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return Reply(status, {"error": error}, headers)


def throttling(retry_after: float | None = None) -> Reply:
    """Refuse for the rate of the tier."""
    return fail(429, "429", message="Requests exceeded the call rate.", retry_after=retry_after)


CUT = Reply(0, None, cut=True)
HALF = Reply(200, '{"modelVersion": "20', cut=True)


class ImageAnalysisServer(Loopback):
    """The server; `url` is its endpoint, `requests` what it was asked, also what it refused."""

    def __init__(
        self, seen: PictureContent | None = None, *, captions: bool = True, embeddings: bool = True
    ) -> None:
        super().__init__()
        self.seen = seen or PictureContent()
        self.captions = captions
        self.embeddings = embeddings
        self.of_picture: Callable[[bytes], Sequence[float]] = _anything
        self.of_text: Callable[[str], Sequence[float]] = _anything
        self.keys, self.tokens = {KEY}, {"token-of-the-tests"}
        self.requests: list[ReceivedRequest] = []
        self.at_once = 0
        self.most_at_once = 0
        self.gate: asyncio.Event | None = None
        self._script: deque[Reply] = deque()

    def then(self, *replies: Reply) -> None:
        """Answer the next requests with these, in turn."""
        self._script.extend(replies)

    def forget(self) -> None:
        """Drop what was asked, what was to be answered, what is seen and how it is embedded."""
        self.requests.clear()
        self._script.clear()
        self.seen, self.gate = PictureContent(), None
        self.of_picture = self.of_text = _anything

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        for path in (PATH, OF_PICTURES, OF_TEXTS):
            app.router.add_post(path, self._receive)
        await self.start(app)
        return self

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        record = ReceivedRequest(
            set(request.query.get("features", "").split(",")),
            request.query.get("api-version", ""),
            await request.read(),
            request.headers.get("Ocp-Apim-Subscription-Key", ""),
            request.headers.get("Authorization", "").removeprefix("Bearer "),
            request.path,
            request.query.get("model-version", ""),
        )
        self.requests.append(record)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.gate is not None:
                await self.gate.wait()
            return await self._answer(request, record)
        finally:
            self.at_once -= 1

    async def _answer(self, request: web.Request, record: ReceivedRequest) -> web.StreamResponse:
        refusal = self._refusal(record, request.content_type)
        reply = refusal or (self._script.popleft() if self._script else None)
        if reply is None:
            return web.json_response(self._result(record))
        if reply.cut:
            return await _broken(request, reply)
        if isinstance(reply.body, str):
            return web.Response(status=reply.status, text=reply.body, headers=reply.headers)
        return web.json_response(reply.body, status=reply.status, headers=reply.headers)

    def _refusal(self, record: ReceivedRequest, content_type: str) -> Reply | None:
        """Refuse what the service refuses."""
        if record.key not in self.keys and record.token not in self.tokens:
            return fail(401, "PermissionDenied", message="Access denied: wrong key or endpoint.")
        if record.version not in VERSIONS:
            return fail(404, "404", message="Resource not found.")
        media_type = "application/json" if record.path == OF_TEXTS else "application/octet-stream"
        if content_type != media_type:
            return fail(415, "InvalidRequest", "UnsupportedMediaType")
        if record.path != PATH:
            return self._embedding_refusal(record)
        if not record.features <= FEATURES:
            return fail(400, "InvalidRequest", "NotSupportedVisualFeature")
        if record.features & CAPTIONS and not self.captions:
            message = "The feature 'DenseCaptions' is not supported in this region."
            return fail(400, "InvalidRequest", "NotSupportedFeature", message)
        return _picture_refusal(record, 50)

    def _embedding_refusal(self, record: ReceivedRequest) -> Reply | None:
        if not self.embeddings:
            message = "The feature 'Vectorize' is not supported in this region."
            return fail(400, "InvalidRequest", "NotSupportedFeature", message)
        if record.model not in MODEL_VERSIONS:
            return fail(400, "InvalidRequest", "InvalidModelVersion")
        if record.path == OF_PICTURES:
            return _picture_refusal(record, 10)
        if not 1 <= len(record.text.split()) <= MOST_WORDS:
            return fail(400, "InvalidRequest", "InvalidArgument", "The text has 1 to 70 words.")
        return None

    def _result(self, record: ReceivedRequest) -> dict[str, Any]:
        if record.path == PATH:
            return _result(self.seen, record)
        if record.path == OF_PICTURES:
            return vector_response(self.of_picture(record.body), record.model)
        return vector_response(self.of_text(record.text), record.model)


async def _broken(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Break the connection, in the middle of an answer that begins with the body if any."""
    assert request.transport is not None
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = 20_000
    if reply.body:
        await response.prepare(request)
        await response.write(reply.body.encode())
        request.transport.close()
    else:
        request.transport.abort()
    return response


def _anything(_: bytes | str) -> Sequence[float]:
    return (1.0,)


def vector_response(vector: Sequence[float], model: str = "2023-04-15") -> dict[str, Any]:
    """Write a vector, filled up with zeros, which leave its angles to others as they are."""
    return {"modelVersion": model, "vector": [*vector, *(DIMENSIONS - len(vector)) * [0.0]]}


def _picture_refusal(record: ReceivedRequest, too_small: int) -> Reply | None:
    if not 0 < len(record.body) < MOST_BYTES:
        return fail(400, "InvalidRequest", "InvalidImageSize")
    try:
        width, height = record.size
    except OSError:
        return fail(400, "InvalidRequest", "InvalidImageFormat")
    if min(width, height) <= too_small or max(width, height) >= 16_000:
        return fail(400, "InvalidRequest", "InvalidImageDimension")
    return None


def _result(content: PictureContent, record: ReceivedRequest) -> dict[str, Any]:
    """Write what is seen, of the features that were asked for."""
    width, height = record.size
    parts = {
        "read": ("readResult", {"blocks": [{"lines": _lines(content, width, height)}]}),
        "objects": ("objectsResult", {"values": _objects(content, width, height)}),
        "people": ("peopleResult", {"values": _people(content, width, height)}),
        "denseCaptions": ("denseCaptionsResult", {"values": _captions(content, width, height)}),
    }
    result: dict[str, Any] = {
        "modelVersion": record.version,
        "metadata": {"width": width, "height": height},
    }
    return result | dict(parts[feature] for feature in record.features)


def _pixels(box: Box, width: int, height: int) -> dict[str, int]:
    left, top, wide, high = box
    return {
        "x": round(left * width),
        "y": round(top * height),
        "w": round(wide * width),
        "h": round(high * height),
    }


def _corners(box: Box, width: int, height: int) -> list[dict[str, int]]:
    at = _pixels(box, width, height)
    right, bottom = at["x"] + at["w"], at["y"] + at["h"]
    places = [(at["x"], at["y"]), (right, at["y"]), (right, bottom), (at["x"], bottom)]
    return [{"x": x, "y": y} for x, y in places]


def _lines(content: PictureContent, width: int, height: int) -> list[dict[str, Any]]:
    return [
        {
            "text": " ".join(text for text, _ in words),
            "boundingPolygon": _corners(box, width, height),
            "words": [
                {
                    "text": text,
                    "boundingPolygon": _corners(box, width, height),
                    "confidence": confidence,
                }
                for text, confidence in words
            ],
        }
        for box, words in content.lines
    ]


def _objects(content: PictureContent, width: int, height: int) -> list[dict[str, Any]]:
    return [
        {
            "boundingBox": _pixels(box, width, height),
            "tags": [{"name": name, "confidence": confidence}],
        }
        for box, name, confidence in content.objects
    ]


def _people(content: PictureContent, width: int, height: int) -> list[dict[str, Any]]:
    return [
        {"boundingBox": _pixels(box, width, height), "confidence": confidence}
        for box, confidence in content.people
    ]


def _captions(content: PictureContent, width: int, height: int) -> list[dict[str, Any]]:
    whole = _pixels((0, 0, 1, 1), width, height)
    return [{"text": text, "confidence": 0.8, "boundingBox": whole} for text in content.captions]
