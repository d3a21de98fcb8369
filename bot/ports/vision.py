"""The port to computer vision: lines of text and objects in a picture, with their positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.sightings import Sighting


class Vision(Protocol):
    """An engine that reads text and recognizes objects."""

    async def look(
        self, jpeg: bytes, original: Path | None = None, *, upright: bool = False
    ) -> Sighting:
        """Look at an upright JPEG; waits for its turn.

        Raises `FileProblem` when the engine fails on this picture, `VisionProblem` when it fails
        whatever the picture.

        `original` is the file it was made from, a stranger's, for what only shows at full
        resolution; polygons are fractions of the upright picture either way. `upright` says that
        the right way up is known, as it is for frames of videos: people rotate photos, not videos.
        """
        ...

    async def check(self) -> str:
        """Try the engine and return a sentence about how it works; raises what is wrong with it."""
        ...

    async def close(self) -> None:
        """End what the engine runs."""
        ...
