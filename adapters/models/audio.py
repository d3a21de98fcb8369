"""Sound as samples: where it is silent, and where it can be cut."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL = 32768.0
"""The largest value of a sample."""
SILENCE = 0.001
"""Loudness (root mean square, of full scale) below which it counts as silence: -60 dB."""
BLOCK = 0.1
"""Seconds of which one loudness is measured: about the pause between two words."""
MARGIN = 0.3
"""Seconds of silence that stay around sound, since words begin and end softly."""
SPARE = 0.8
"""The share of a piece after which to look for a quiet moment to cut at."""
SHORTEST = 1.0
"""Least seconds of the last piece."""


@dataclass(frozen=True, slots=True)
class AudioSamples:
    """Samples of one channel at `rate` hertz; `start` is when they begin, in seconds."""

    samples: NDArray[np.int16]
    rate: int
    start: float = 0.0

    @classmethod
    def read(cls, wav: bytes) -> Self:
        """Read a WAV file; raises `ValueError` for any but one channel of 16 bit."""
        try:
            with wave.open(io.BytesIO(wav)) as file:
                form = (file.getnchannels(), file.getsampwidth())
                data = file.readframes(file.getnframes())
                rate = file.getframerate()
        except (wave.Error, EOFError) as error:
            raise ValueError(f"this is no WAV file: {error}") from error
        if form != (1, 2):
            raise ValueError(f"a WAV file has {form[0]} channels of {form[1]} bytes, not 1 of 2")
        return cls(np.frombuffer(data, "<i2"), rate)

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return len(self.samples) / self.rate

    @property
    def end(self) -> float:
        """When the samples end, in seconds."""
        return self.start + self.seconds

    def wav(self) -> bytes:
        """Return a WAV file, about 2 bytes for each sample."""
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(self.rate)
            file.writeframes(self.samples.astype("<i2", copy=False).tobytes())
        return buffer.getvalue()

    def between(self, start: float, end: float) -> Self:
        """Return a stretch of time, as far as there are samples."""
        return self._cut(
            round((start - self.start) * self.rate), round((end - self.start) * self.rate)
        )

    def without_silence(self) -> Self | None:
        """Return the sound without the silence at both ends; None if there is nothing else."""
        loud = np.flatnonzero(self._loudness() >= SILENCE)
        if not loud.size:
            return None
        first, after = self.start + loud[0] * BLOCK, self.start + (loud[-1] + 1) * BLOCK
        return self.between(first - MARGIN, after + MARGIN)

    def pieces(self, seconds: float) -> list[Self]:
        """Cut into pieces of at most so many seconds, at quiet moments, without their silence."""
        return [sound for piece in self._pieces(seconds) if (sound := piece.without_silence())]

    def _pieces(self, seconds: float) -> Iterator[Self]:
        rest = self
        while rest.seconds > seconds:
            latest = min(seconds, rest.seconds - SHORTEST)
            at = rest._quietest(seconds * SPARE, latest)
            yield rest.between(rest.start, at)
            rest = rest.between(at, rest.end)
        yield rest

    def _quietest(self, earliest: float, latest: float) -> float:
        """Return the quietest moment between two times, counted from the start."""
        stretch = self.between(self.start + earliest, self.start + latest)
        return stretch.start + (int(np.argmin(stretch._loudness())) + 0.5) * BLOCK

    def _loudness(self) -> NDArray[np.float32]:
        """Return the loudness of each block, of full scale; a shorter rest is ignored."""
        size = round(self.rate * BLOCK)
        blocks = self.samples[: len(self.samples) // size * size].reshape(-1, size) / np.float32(
            FULL
        )
        return np.sqrt(np.mean(np.square(blocks), axis=1, dtype=np.float32))

    def _cut(self, first: int, after: int) -> Self:
        first = min(max(first, 0), len(self.samples))
        return type(self)(self.samples[first:after], self.rate, self.start + first / self.rate)


def tone(seconds: float, rate: int = 16_000) -> AudioSamples:
    """Return an even tone of 440 Hz."""
    turns = np.arange(round(seconds * rate)) * (440 / rate)
    return AudioSamples((np.sin(2 * np.pi * turns) * FULL / 8).astype(np.int16), rate)
