"""The port to what sees: lines of text and objects in a picture, with where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from bot.domain.sightings import Sighting


class Vision(Protocol):
    """An engine that reads and sees."""

    async def look(
        self, jpeg: bytes, original: Path | None = None, *, upright: bool = False
    ) -> Sighting:
        """Look at an upright JPEG; waits for its turn.

        Raises `FileProblem` when the engine fails on this picture, `VisionProblem` when it fails
        whatever the picture.

        `original` is the file it was made from, a stranger's, for what only shows at full
        resolution; polygons are fractions of the upright picture either way. `upright` says that
        it is known which way is up, as it is of frames of videos: people turn photos, not films.
        """
        ...

    async def check(self) -> str:
        """Try the engine and tell how it stands; raises what is wrong with it."""
        ...

    async def close(self) -> None:
        """End what the engine runs."""
        ...
