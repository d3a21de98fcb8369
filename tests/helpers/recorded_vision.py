"""Sightings of notices as the engine on this machine had them once, so that no test waits for it.

    python -m tests.helpers.recorded_vision

records them anew, as a new engine or another font makes necessary.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from adapters.vision.local import LocalVision
from adapters.vision.settings import VisionSettings
from bot.domain.sightings import Sighting
from bot.limits import FileLimits
from bot.media.photos import prepare
from tests.helpers.notices import NOTICES, notice

if TYPE_CHECKING:
    from bot.ports.vision import Vision

RECORDING = Path(__file__).parents[1] / "recordings" / "notices.json"
SIGHTINGS = TypeAdapter(dict[str, Sighting])
"""The sightings of notices, by the lines of each."""


class RecordedVision:
    """Sees in a notice what was recorded of it; another picture is a `KeyError`."""

    def __init__(self) -> None:
        sightings = SIGHTINGS.validate_json(RECORDING.read_bytes())
        self._sightings = {_digest(notice(*lines)): sightings[_key(lines)] for lines in NOTICES}

    async def look(
        self, jpeg: bytes, original: Path | None = None, *, upright: bool = False
    ) -> Sighting:
        assert original is not None
        return self._sightings[_digest(original.read_bytes())]

    async def check(self) -> str:
        return "It reads what was recorded."

    async def close(self) -> None:
        """There is nothing to end."""


def _key(lines: tuple[str, ...]) -> str:
    return "\n".join(lines)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def _look(vision: Vision, lines: tuple[str, ...], path: Path) -> Sighting:
    path.write_bytes(notice(*lines))
    return await vision.look(prepare(path, FileLimits(_env_file=None)).jpeg, path)


async def _record() -> None:
    settings = VisionSettings(reading_seconds=120, seconds=180, _env_file=None)
    vision = LocalVision(FileLimits(_env_file=None), settings)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notice.jpg"
        sightings = {_key(lines): await _look(vision, lines, path) for lines in NOTICES}
    await vision.close()
    RECORDING.write_bytes(SIGHTINGS.dump_json(sightings, indent=1) + b"\n")


if __name__ == "__main__":
    asyncio.run(_record())
