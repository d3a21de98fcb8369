"""The port to what hears: the words of a sound track, with their times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that were spoken between two times, in seconds."""

    text: str
    start: float
    end: float


class Speech(Protocol):
    """A transcription model."""

    async def hear(self, wav: bytes) -> tuple[Phrase, ...]:
        """Transcribe a WAV file of one channel, times counting from its start.

        Silence yields nothing. Raises `ModelProblem`.
        """
        ...

    async def check(self) -> str:
        """Try the model and tell how it stands; raises `ModelProblem`."""
        ...

    async def close(self) -> None:
        """End what the model runs."""
        ...
