"""The files that make up the page; there is nothing else to be served."""

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
    "note.js",
    "files.js",
    "frames.js",
    "pointing.js",
    "elements.js",
    "markdown.js",
    "composer.js",
    "setup.js",
    "panels.js",
)
OPEN = frozenset({"page.css", "mark.svg"})
"""What the page for strangers needs too."""


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
