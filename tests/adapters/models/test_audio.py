"""Samples: read and written, cut at quiet moments, and freed of silence."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.models.audio import FULL, MARGIN, AudioSamples, tone
from tests.servers.transcriptions import RATE, speak, wav_bytes


def noise(seconds: float, *quiet: tuple[float, float]) -> AudioSamples:
    """Noise that is ten times softer between these times."""
    samples = np.random.default_rng(1).normal(0.0, 0.1, round(seconds * RATE))
    for start, end in quiet:
        samples[round(start * RATE) : round(end * RATE)] *= 0.1
    return AudioSamples.read(wav_bytes(samples))


def test_a_wav_file_is_read_and_written() -> None:
    wav = speak(("left", 0.2, 0.4), seconds=1.25, rate=8_000)
    read = AudioSamples.read(wav)
    assert (read.rate, read.seconds, read.start, read.end) == (8_000, 1.25, 0.0, 1.25)
    assert read.wav() == wav


@pytest.mark.parametrize(
    ("wav", "complaint"),
    [
        (b"", "no WAV file"),
        (b"RIFF\x10\0\0\0WAVE", "no WAV file"),
        (b"\x00\x00\x00\x18ftypmp42", "no WAV file"),
        (wav_bytes(np.zeros(100), channels=2), "2 channels of 2 bytes"),
    ],
)
def test_another_file_is_refused(wav: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        AudioSamples.read(wav)


def test_a_stretch_keeps_its_time() -> None:
    later = noise(10).between(2.0, 8.0).between(3.0, 4.5)
    assert (later.start, later.end, later.seconds) == (3.0, 4.5, 1.5)
    assert np.array_equal(later.samples, noise(10).samples[3 * RATE : round(4.5 * RATE)])


@pytest.mark.parametrize(
    ("start", "end", "found"), [(-3.0, 1.0, (0, 1)), (9.0, 20.0, (9, 10)), (12.0, 13.0, (10, 10))]
)
def test_a_stretch_ends_where_the_sound_does(
    start: float, end: float, found: tuple[float, float]
) -> None:
    stretch = noise(10).between(start, end)
    assert (stretch.start, stretch.end) == found


def test_silence_at_both_ends_is_cut_off() -> None:
    sound = AudioSamples.read(speak(("left", 3.0, 3.5), ("stop", 5.0, 6.0), seconds=20))
    heard = sound.without_silence()
    assert heard is not None
    assert (heard.start, heard.end) == pytest.approx((3.0 - MARGIN, 6.0 + MARGIN))


def test_sound_up_to_both_ends_stays_whole() -> None:
    heard = noise(2.0).without_silence()
    assert heard is not None
    assert (heard.start, heard.end) == (0.0, 2.0)


@pytest.mark.parametrize("loudness", [0.0, 0.0005])
def test_silence_and_what_nobody_hears_is_nothing(loudness: float) -> None:
    assert AudioSamples.read(speak(seconds=5, hiss=loudness)).without_silence() is None


def test_one_short_word_in_minutes_of_silence_is_heard() -> None:
    heard = AudioSamples.read(speak(("stop", 100.0, 100.2), seconds=180)).without_silence()
    assert heard is not None
    assert heard.start < 100.0 < 100.2 < heard.end


@pytest.mark.parametrize("samples", [0, 1, RATE // 10 - 1])
def test_less_than_a_moment_is_nothing(samples: int) -> None:
    assert AudioSamples(np.full(samples, 9_000, np.int16), RATE).pieces(15.0) == []


def test_pieces_are_cut_at_the_quietest_moment_near_their_end() -> None:
    pieces = noise(40.0, (5.0, 5.3), (13.2, 13.5), (26.9, 27.2)).pieces(15.0)
    ends = [piece.end for piece in pieces]
    assert ends == [pytest.approx(13.35, abs=0.15), pytest.approx(27.05, abs=0.15), 40.0]
    assert [piece.start for piece in pieces] == [0.0, *ends[:-1]]


@pytest.mark.parametrize("seconds", [15.0, 15.01, 15.9, 30.0, 61.3])
def test_no_sound_is_lost_between_pieces_and_none_is_too_long_or_too_short(seconds: float) -> None:
    sound = noise(seconds)
    pieces = sound.pieces(15.0)
    assert np.array_equal(np.concatenate([piece.samples for piece in pieces]), sound.samples)
    assert all(1.0 <= piece.seconds <= 15.0 for piece in pieces)
    assert len(pieces) <= seconds / 12 + 1


def test_silent_pieces_are_left_out() -> None:
    sound = AudioSamples.read(speak(("left", 2.0, 3.0), ("stop", 50.0, 51.0), seconds=60))
    starts = [piece.start for piece in sound.pieces(15.0)]
    assert starts == [pytest.approx(2.0 - MARGIN), pytest.approx(50.0 - MARGIN)]


def test_a_tone_is_even_and_not_silent() -> None:
    made = tone(1.0)
    assert made.seconds == 1.0
    assert np.abs(made.samples).max() == pytest.approx(FULL / 8, rel=0.01)
    assert made.without_silence() is not None
