"""Ranges of a file that a browser requests, as it does to play a video from any position."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web


def requested_range(request: web.Request, size: int) -> range | None:
    """Return which bytes of a file a request asks for; None for all of them.

    The range is empty where it begins after the end of the file. A malformed range, several
    ranges, and a range with `If-Range` (files have no versions) are ignored. RFC 9110, section 14.
    """
    if request.method != "GET" or "Range" not in request.headers or "If-Range" in request.headers:
        return None
    try:
        return range(size)[request.http_range]
    except ValueError:
        return None


def range_headers(part: range, size: int) -> dict[str, str]:
    """Return the header that states the range, or for an empty one only the size of the file."""
    span = f"{part.start}-{part.stop - 1}" if part else "*"
    return {"Content-Range": f"bytes {span}/{size}"}
