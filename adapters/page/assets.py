"""The static files of the page; no other file of the folder is served."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static"

TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

NAMES = (
    "index.html",
    "closed.html",
    "page.css",
    "mark.svg",
    "page.js",
    "api.js",
    "stream.js",
    "conversation.js",
    "message.js",
    "files.js",
    "frames.js",
    "pointing.js",
    "elements.js",
    "markdown.js",
    "composer.js",
    "setup.js",
    "panels.js",
)
PUBLIC = frozenset({"page.css", "mark.svg"})
"""Served without a session, as `closed.html` needs them."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page, with a tag that changes when it does."""

    body: bytes
    media_type: str
    etag: str


def read_assets() -> dict[str, Asset]:
    """Read all files of the page; blocks."""
    return {name: _read(FOLDER / name) for name in NAMES}


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body, TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:16])
