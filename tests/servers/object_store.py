"""An object store with one object, which it hands out slowly: HEAD and GET of S3, with ranges.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

from __future__ import annotations

import asyncio
import re
from typing import Self

from aiohttp import web

from tests.servers.loopback import Loopback

RANGE = re.compile(r"bytes=(\d+)-(\d+)")
CHUNK = 10_000


class SlowObjectStore(Loopback):
    """Sends `rate` bytes a second on each connection; `asked` are the ranges asked for."""

    def __init__(self, data: bytes, rate: float) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._data = data
        self._rate = rate

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        await self.start(app)
        return self

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        size = len(self._data)
        match = RANGE.fullmatch(request.headers.get("Range", ""))
        start, end = (int(match[1]), int(match[2]) + 1) if match else (0, size)
        response = web.StreamResponse(status=206 if match else 200)
        response.content_length = end - start
        response.headers["ETag"] = '"1"'
        response.headers["Last-Modified"] = "Mon, 23 Nov 2026 10:00:00 GMT"
        if match:
            response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        await response.prepare(request)
        if request.method == "GET":
            self.asked.append(request.headers.get("Range", ""))
            for at in range(start, end, CHUNK):
                await response.write(self._data[at : min(at + CHUNK, end)])
                await asyncio.sleep(CHUNK / self._rate)
        return response
