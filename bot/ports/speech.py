"""The port to transcription: the words of a sound track, with their times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bot.domain.files import Phrase


class Speech(Protocol):
    """A transcription model."""

    async def hear(self, wav: bytes) -> tuple[Phrase, ...]:
        """Transcribe a WAV file of one channel, times counting from its start.

        Silence yields nothing. Raises `ModelProblem`.
        """
        ...

    async def check(self) -> str:
        """Try the model and return a sentence about how it works; raises `ModelProblem`."""
        ...

    async def close(self) -> None:
        """End what the model runs."""
        ...
