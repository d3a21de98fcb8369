"""The sound of a video: what is heard when, from every container, codec and form of samples."""

from __future__ import annotations

import io
import resource
import sys
import wave
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from bot.errors import FileProblem, Reason
from bot.limits import ChildLimits, FileLimits
from bot.media.audio import RATE, extract_sound
from bot.media.video_container import open_video
from bot.sandbox import ChildProcesses
from tests.helpers.images import MEDIA

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LIMITS = FileLimits(_env_file=None)
EXACT = 0.03
"""Seconds that a codec may blur the beginning of a tone by."""

Times = tuple[tuple[float, float], ...]


def tones(times: Times, seconds: float, rate: int) -> NDArray[np.float32]:
    """A tone of 500 Hz within these times, else silence."""
    at = np.arange(round(seconds * rate)) / rate
    on = np.any([(at >= start) & (at < end) for start, end in times], axis=0)
    return (np.sin(2 * np.pi * 500 * at) * on * 0.5).astype(np.float32)


def clip(
    path: Path,
    codec: str = "aac",
    *,
    times: Times = ((1.0, 1.5),),
    seconds: float = 3.0,
    rate: int = 48_000,
    layout: str = "stereo",
    channels: tuple[int, ...] | None = None,
    late: float = 0.0,
    pictures_late: float = 0.0,
    pictures: str = "mpeg4",
    **options: Any,
) -> Path:
    """Make a video whose sound has tones at these times of its own.

    `channels` are those that have the tone (None: all); the sound begins `late`, or the pictures.
    """
    with av.open(str(path), "w", **options) as container:
        screen: Any = container.add_stream(pictures, rate=10) if pictures else None
        if screen:
            screen.width = screen.height = 64
            screen.pix_fmt = "yuv420p"
        track: Any = container.add_stream(codec, rate=rate, layout=layout)
        played = tones(times, seconds, rate)
        for number in range(round(seconds * 10) if screen else 0):
            frame = av.VideoFrame.from_ndarray(
                np.full((64, 64, 3), number % 256, np.uint8), "rgb24"
            )
            frame.pts = number + round(pictures_late * 10)
            container.mux(screen.encode(frame))
        if screen:
            container.mux(screen.encode(None))
        for first in range(0, len(played), 1024):
            container.mux(track.encode(_frame(played, first, rate, layout, channels, late)))
        container.mux(track.encode(None))
    return path


def _frame(
    played: NDArray[np.float32],
    first: int,
    rate: int,
    layout: str,
    channels: tuple[int, ...] | None,
    late: float,
) -> av.AudioFrame:
    part = played[first : first + 1024]
    count = av.AudioLayout(layout).nb_channels
    samples = np.zeros((len(part), count), np.float32)
    samples[:, list(range(count) if channels is None else channels)] = part[:, None]
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "flt", layout)
    frame.sample_rate = rate
    frame.pts = first + round(late * rate)
    return frame


def heard(wav: bytes | None) -> tuple[list[tuple[float, float]], float]:
    """Read a WAV file: when it is loud, and how long it is."""
    assert wav is not None
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    size = RATE // 100
    blocks = samples[: len(samples) // size * size].reshape(-1, size)
    loud = np.sqrt(np.mean(blocks**2, axis=1)) > 0.02
    edges = np.flatnonzero(np.diff(np.concatenate(([False], loud, [False])).astype(int)))
    spans = [(int(on) / 100, int(off) / 100) for on, off in edges.reshape(-1, 2)]
    return spans, len(samples) / RATE


def about(*times: tuple[float, float]) -> list[Any]:
    return [pytest.approx(pair, abs=EXACT) for pair in times]


@pytest.mark.parametrize(
    ("name", "codec", "how"),
    [
        ("a.mp4", "aac", {}),
        ("a.mov", "pcm_s16le", {"pictures": "libx264"}),
        ("a.mp4", "ac3", {"layout": "5.1", "pictures": "libx264"}),
        ("a.mp4", "libmp3lame", {"rate": 44_100}),
        ("a.webm", "libopus", {"pictures": "libvpx-vp9"}),
        ("a.mkv", "flac", {"rate": 96_000}),
        ("a.mkv", "pcm_f32le", {"layout": "7.1"}),
        ("a.mkv", "aac", {"rate": 22_050, "layout": "mono"}),
        ("a.avi", "pcm_s16le", {"rate": RATE, "layout": "mono"}),
        ("a.avi", "pcm_u8", {"rate": 8_000, "layout": "mono"}),
        ("a.avi", "libmp3lame", {"rate": 44_100}),
        ("a.mov", "pcm_alaw", {"rate": 8_000, "layout": "mono", "pictures": "libx264"}),
    ],
)
def test_a_tone_is_heard_when_it_sounds(
    tmp_path: Path, name: str, codec: str, how: dict[str, Any]
) -> None:
    path = clip(tmp_path / name, codec, times=((0.5, 0.8), (2.0, 2.5)), **how)
    spans, seconds = heard(extract_sound(path, LIMITS, 0.0, 10.0))
    assert spans == about((0.5, 0.8), (2.0, 2.5))
    assert seconds == pytest.approx(3.0, abs=0.06)


@pytest.mark.parametrize("layout", ["stereo", "3.0", "quad", "5.1", "7.1"])
def test_a_tone_is_heard_from_any_channel(tmp_path: Path, layout: str) -> None:
    for place, channel in enumerate(av.AudioLayout(layout).channels):
        path = clip(tmp_path / "a.mkv", "flac", layout=layout, channels=(place,))
        wav = extract_sound(path, LIMITS, 0.0, 10.0)
        if channel.name == "LFE":  # the one of low tones, without speech
            assert heard(wav)[0] == []
        else:
            assert heard(wav)[0] == about((1.0, 1.5)), channel.name


def test_a_stretch_counts_from_its_start_and_ends_at_its_end(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", times=((1.0, 1.5), (4.0, 4.5), (7.0, 8.0)), seconds=9.0)
    spans, seconds = heard(extract_sound(path, LIMITS, 3.0, 7.5))
    assert spans == about((1.0, 1.5), (4.0, 4.5))
    assert seconds == 4.5


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_sound_that_begins_later_than_the_pictures_is_led_in_by_silence(
    tmp_path: Path, name: str
) -> None:
    path = clip(tmp_path / name, times=((1.0, 1.5),), late=1.25)
    spans, seconds = heard(extract_sound(path, LIMITS, 0.0, 10.0))
    assert spans == about((2.25, 2.75))
    assert seconds == pytest.approx(4.25, abs=0.06)
    assert heard(extract_sound(path, LIMITS, 2.0, 2.5))[0] == about((0.25, 0.5))


def test_sound_that_begins_before_the_pictures_is_trimmed(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", times=((1.0, 1.5),), pictures_late=0.8)
    with open_video(path, LIMITS) as reel:
        assert reel.start == pytest.approx(0.8)
    assert heard(extract_sound(path, LIMITS, 0.0, 10.0))[0] == about((0.2, 0.7))


def test_a_gap_in_the_sound_stays_silent(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        screen: Any = container.add_stream("mpeg4", rate=10)
        screen.width = screen.height = 64
        track: Any = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
        picture.pts = 0
        container.mux([*screen.encode(picture), *screen.encode(None)])
        played = tones(((0.0, 1.0),), 1.0, RATE)
        for late in (0.0, 3.0):
            for first in range(0, RATE, 1024):
                container.mux(track.encode(_frame(played, first, RATE, "mono", None, late)))
        container.mux(track.encode(None))
    spans, seconds = heard(extract_sound(path, LIMITS, 0.0, 10.0))
    assert spans == about((0.0, 1.0), (3.0, 4.0))
    assert seconds == pytest.approx(4.0, abs=0.01)


def test_rounded_time_stamps_leave_no_clicks(tmp_path: Path) -> None:
    """Matroska rounds to milliseconds; each correction would show in the tone's spectrum."""
    path = clip(tmp_path / "a.mkv", "pcm_s16le", times=((0.0, 3.0),), rate=44_100, layout="mono")
    wav = extract_sound(path, LIMITS, 0.5, 2.5)
    assert wav is not None
    samples = np.frombuffer(wav[44:], "<i2").astype(float)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    tone = round(500 * len(samples) / RATE)
    assert spectrum[tone - 20 : tone + 20].sum() > 0.9999 * spectrum.sum()


def test_a_video_without_sound_has_none(tmp_path: Path) -> None:
    assert extract_sound(MEDIA / "vtest12_h264.mp4", LIMITS, 0.0, 10.0) is None


def test_an_animation_has_no_sound() -> None:
    assert extract_sound(MEDIA / "iss634.gif", LIMITS, 0.0, 10.0) is None


def test_a_stretch_that_the_sound_does_not_reach_has_none(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4")
    assert extract_sound(path, LIMITS, 5.0, 9.0) is None
    assert extract_sound(path, LIMITS, 2.0, 1.0) is None


def test_a_recording_of_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", pictures="")
    with pytest.raises(FileProblem) as caught:
        extract_sound(path, LIMITS, 0.0, 10.0)
    assert caught.value.reason is Reason.NO_PICTURE


@pytest.mark.parametrize("codec", ["aac", "libopus", "pcm_s16le"])
@pytest.mark.parametrize("share", [0.5, 0.7])
def test_a_cut_file_yields_what_it_holds(tmp_path: Path, codec: str, share: float) -> None:
    path = clip(tmp_path / "a.mkv", codec, times=((0.2, 0.4), (2.7, 2.9)))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    spans, seconds = heard(extract_sound(path, LIMITS, 0.0, 10.0))
    assert spans == about((0.2, 0.4))
    assert 0.5 < seconds < 2.7


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_damage_never_raises(tmp_path: Path, name: str) -> None:
    path = clip(tmp_path / name, "libmp3lame", times=((0.2, 2.8),))
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    random = np.random.default_rng(1)
    loud = 0
    for _ in range(20):
        broken = whole.copy()
        places = random.integers(2_000, len(whole) - 2_000, 60)
        broken[places] = random.integers(0, 256, len(places))
        path.write_bytes(broken.tobytes())
        wav = extract_sound(path, LIMITS, 0.0, 10.0)
        loud += bool(wav and heard(wav)[0])
    assert loud >= 15


def test_the_form_may_change_within_a_track(tmp_path: Path) -> None:
    """Two recordings in one file, as a camera joins them: stereo, then mono at half the rate."""
    parts = [
        clip(tmp_path / "1.mkv", "libmp3lame", times=((1.0, 1.5),), rate=48_000),
        clip(tmp_path / "2.mkv", "libmp3lame", times=((1.0, 1.5),), rate=24_000, layout="mono"),
    ]
    path = tmp_path / "both.mkv"
    with av.open(str(path), "w") as written:
        first = av.open(str(parts[0]))
        tracks = [written.add_stream_from_template(one) for one in first.streams]
        first.close()
        for late, part in zip((0, 4_000), parts, strict=True):
            with av.open(str(part)) as read:
                for packet in read.demux():
                    if packet.dts is not None and packet.pts is not None:
                        packet.stream = tracks[packet.stream.index]
                        packet.pts, packet.dts = packet.pts + late, packet.dts + late
                        written.mux(packet)
    assert heard(extract_sound(path, LIMITS, 0.0, 10.0))[0] == about((1.0, 1.5), (5.0, 5.5))


def test_no_more_is_decoded_than_was_asked_for(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", seconds=6.0)
    assert heard(extract_sound(path, LIMITS, 0.0, 2.5))[1] == 2.5


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is counted otherwise elsewhere")
async def test_three_minutes_take_little_memory(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", times=((179.0, 179.5),), seconds=180.0, rate=RATE)
    children = ChildProcesses(ChildLimits(_env_file=None), LIMITS)
    try:
        before = await children.run(peak)
        wav = await children.run(extract_sound, path, LIMITS, 0.0, 180.0)
        after = await children.run(peak)
    finally:
        await children.close()
    assert heard(wav)[0] == about((179.0, 179.5))
    assert after - before < 40 * 2**20


def peak() -> int:
    """The most memory that this process had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
