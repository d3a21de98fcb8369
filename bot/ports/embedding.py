"""The port to a joint embedding: pictures and words as vectors that can be compared."""

from __future__ import annotations

from typing import Protocol

Vector = tuple[float, ...]
"""A direction; those of pictures and words that belong together have a cosine near 1."""


class Embedding(Protocol):
    """Turns pictures and words into vectors of one space."""

    async def picture(self, jpeg: bytes) -> Vector:
        """Embed an upright JPEG; waits for its turn.

        Raises `FileProblem` when the engine refuses this picture, `VisionProblem` when it fails
        whatever the picture.
        """
        ...

    async def words(self, text: str) -> Vector:
        """Embed words, of which the engine may take the first only; raises `VisionProblem`."""
        ...

    async def close(self) -> None:
        """End what the engine runs."""
        ...
