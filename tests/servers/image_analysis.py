"""A server for tests that behaves like Azure AI Vision Image Analysis 4.0.

    async with ImageAnalysisServer() as server:
        server.then(fail(429, "429", retry_after=1))
        ...
        assert server.requests[0].features == {"read", "objects", "people"}

It refuses what the service refuses: keys, versions, features, pictures; `captions` says whether
its region has captions. What no `then` foresees is answered with `seen`, of which the result has
what was asked for, in pixels of the picture that came.
"""

from __future__ import annotations

import io
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web
from PIL import Image

from tests.servers.loopback import Loopback

if TYPE_CHECKING:
    import asyncio

KEY = "0123456789abcdef0123456789abcdef"
PATH = "/computervision/imageanalysis:analyze"
VERSIONS = {"2023-10-01", "2024-02-01"}
FEATURES = {"read", "caption", "denseCaptions", "objects", "tags", "people", "smartCrops"}
CAPTIONS = {"caption", "denseCaptions"}
MOST_BYTES = 20 * 1024 * 1024

Box = tuple[float, float, float, float]
"""Left, top, width and height as fractions of the picture."""


@dataclass(frozen=True)
class Seen:
    """What the service sees in every picture: words of lines, objects, people, captions."""

    lines: tuple[tuple[Box, tuple[tuple[str, float], ...]], ...] = ()
    objects: tuple[tuple[Box, str, float], ...] = ()
    people: tuple[tuple[Box, float], ...] = ()
    captions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reply:
    """An answer as it is; with `cut` the connection breaks instead."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    features: set[str]
    version: str
    body: bytes = field(repr=False)
    key: str = ""
    token: str = ""

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


def throttled(retry_after: float | None = None) -> Reply:
    """Refuse for the rate of the tier."""
    return fail(429, "429", message="Requests exceeded the call rate.", retry_after=retry_after)


CUT = Reply(0, None, cut=True)


class ImageAnalysisServer(Loopback):
    """The server; `url` is its endpoint, `requests` what it was asked, also what it refused."""

    def __init__(self, seen: Seen | None = None, *, captions: bool = True) -> None:
        super().__init__()
        self.seen = seen or Seen()
        self.captions = captions
        self.keys, self.tokens = {KEY}, {"token-of-the-tests"}
        self.requests: list[Received] = []
        self.at_once = 0
        self.most_at_once = 0
        self.gate: asyncio.Event | None = None
        self._script: deque[Reply] = deque()

    def then(self, *replies: Reply) -> None:
        """Answer the next requests with these, in turn."""
        self._script.extend(replies)

    def forget(self) -> None:
        """Drop what was asked, what was to be answered and what is seen."""
        self.requests.clear()
        self._script.clear()
        self.seen, self.gate = Seen(), None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post(PATH, self._analyse)
        await self.start(app)
        return self

    async def _analyse(self, request: web.Request) -> web.StreamResponse:
        received = Received(
            set(request.query.get("features", "").split(",")),
            request.query.get("api-version", ""),
            await request.read(),
            request.headers.get("Ocp-Apim-Subscription-Key", ""),
            request.headers.get("Authorization", "").removeprefix("Bearer "),
        )
        self.requests.append(received)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.gate is not None:
                await self.gate.wait()
            return self._answer(request, received)
        finally:
            self.at_once -= 1

    def _answer(self, request: web.Request, received: Received) -> web.StreamResponse:
        refusal = self._refusal(received, request.content_type)
        reply = refusal or (self._script.popleft() if self._script else None)
        if reply is None:
            return web.json_response(_result(self.seen, received))
        if reply.cut:
            assert request.transport is not None
            request.transport.abort()
        if isinstance(reply.body, str):
            return web.Response(status=reply.status, text=reply.body, headers=reply.headers)
        return web.json_response(reply.body, status=reply.status, headers=reply.headers)

    def _refusal(self, received: Received, content_type: str) -> Reply | None:
        """Refuse what the service refuses."""
        if received.key not in self.keys and received.token not in self.tokens:
            return fail(401, "PermissionDenied", message="Access denied: wrong key or endpoint.")
        if received.version not in VERSIONS:
            return fail(404, "404", message="Resource not found.")
        if content_type != "application/octet-stream":
            return fail(415, "InvalidRequest", "UnsupportedMediaType")
        if not received.features <= FEATURES:
            return fail(400, "InvalidRequest", "NotSupportedVisualFeature")
        if received.features & CAPTIONS and not self.captions:
            message = "The feature 'DenseCaptions' is not supported in this region."
            return fail(400, "InvalidRequest", "NotSupportedFeature", message)
        return _picture_refusal(received)


def _picture_refusal(received: Received) -> Reply | None:
    if not 0 < len(received.body) < MOST_BYTES:
        return fail(400, "InvalidRequest", "InvalidImageSize")
    try:
        width, height = received.size
    except OSError:
        return fail(400, "InvalidRequest", "InvalidImageFormat")
    if min(width, height) <= 50 or max(width, height) >= 16_000:
        return fail(400, "InvalidRequest", "InvalidImageDimension")
    return None


def _result(seen: Seen, received: Received) -> dict[str, Any]:
    """Write what is seen, of the features that were asked for."""
    width, height = received.size
    told = {
        "read": ("readResult", {"blocks": [{"lines": _lines(seen, width, height)}]}),
        "objects": ("objectsResult", {"values": _objects(seen, width, height)}),
        "people": ("peopleResult", {"values": _people(seen, width, height)}),
        "denseCaptions": ("denseCaptionsResult", {"values": _captions(seen, width, height)}),
    }
    result: dict[str, Any] = {
        "modelVersion": received.version,
        "metadata": {"width": width, "height": height},
    }
    return result | dict(told[feature] for feature in received.features)


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


def _lines(seen: Seen, width: int, height: int) -> list[dict[str, Any]]:
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
        for box, words in seen.lines
    ]


def _objects(seen: Seen, width: int, height: int) -> list[dict[str, Any]]:
    return [
        {
            "boundingBox": _pixels(box, width, height),
            "tags": [{"name": name, "confidence": confidence}],
        }
        for box, name, confidence in seen.objects
    ]


def _people(seen: Seen, width: int, height: int) -> list[dict[str, Any]]:
    return [
        {"boundingBox": _pixels(box, width, height), "confidence": confidence}
        for box, confidence in seen.people
    ]


def _captions(seen: Seen, width: int, height: int) -> list[dict[str, Any]]:
    whole = _pixels((0, 0, 1, 1), width, height)
    return [{"text": text, "confidence": 0.8, "boundingBox": whole} for text in seen.captions]
