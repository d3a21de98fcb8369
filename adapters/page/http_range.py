"""Parts of a file that a browser asks for, as it does to play a video from anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web


def part_asked(request: web.Request, size: int) -> range | None:
    """Tell which bytes of a file a request asks for; None for all of them.

    Empty where the file is not that long. What makes no sense, or names several parts, is
    ignored, as is a part that shall be of a certain version: files have none. RFC 9110, section 14.
    """
    if request.method != "GET" or "Range" not in request.headers or "If-Range" in request.headers:
        return None
    try:
        return range(size)[request.http_range]
    except ValueError:
        return None


def part_headers(part: range, size: int) -> dict[str, str]:
    """Say which part it is, or for an empty one how long the file is."""
    sent = f"{part.start}-{part.stop - 1}" if part else "*"
    return {"Content-Range": f"bytes {sent}/{size}"}
