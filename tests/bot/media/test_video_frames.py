"""Frames of videos: exactly those that are shown at a time, upright, decoded once."""

from __future__ import annotations

import resource
import struct
import sys
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.boxes import Box
from bot.errors import FileProblem, Reason
from bot.limits import ChildLimits, FileLimits
from bot.media.frame_marks import difference
from bot.media.frames import FrameSpec
from bot.media.video_container import VideoContainer
from bot.media.video_frames import crop_frame, decode_frames, frame_at
from bot.media.video_probe import first_frame_size, frame_times
from bot.sandbox import ChildProcesses
from bot.video.sampling import plan_frame
from tests.helpers.images import MEDIA
from tests.helpers.video_clips import SIZE, blocks, clip, number_in, number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LIMITS = FileLimits(_env_file=None)
KINDS: list[tuple[str, str, dict[str, Any]]] = [
    ("a.mp4", "libx264", {}),
    ("a.mov", "libx264", {}),
    ("a.mkv", "libx264", {}),
    ("a.avi", "libx264", {}),
    ("a.avi", "libx264", {"bf": "0"}),
    ("a.mp4", "libx265", {}),
    ("a.mkv", "libx265", {"pixels": "yuv420p10le"}),
    ("a.webm", "libvpx-vp9", {}),
    ("a.mp4", "libvpx-vp9", {}),
    ("a.mp4", "libsvtav1", {}),
    ("a.webm", "libsvtav1", {"pixels": "yuv420p10le"}),
    ("a.mp4", "mpeg4", {}),
    ("a.mkv", "mpeg4", {"bf": "2"}),
    ("a.avi", "mpeg4", {"bf": "2"}),
    ("a.mov", "mjpeg", {"pixels": "yuvj420p"}),
    ("a.avi", "mjpeg", {"pixels": "yuvj420p"}),
    ("a.mov", "prores_ks", {"pixels": "yuv422p10le"}),
]


def seen(path: Path, times: Sequence[float]) -> list[tuple[float, int]]:
    """When the frames that are shown at some times are first shown, and their numbers."""
    specs = [FrameSpec(at) for at in times]
    return [(shot.at, number_of(shot.jpeg)) for shot in decode_frames(path, LIMITS, specs, 160)]


def planned(path: Path, times: Sequence[float]) -> list[FrameSpec]:
    ticks = frame_times(path, LIMITS)
    return [plan_frame(ticks, at).spec for at in times]


@pytest.mark.parametrize(("name", "codec", "how"), KINDS)
def test_each_frame_is_the_one_of_its_time(
    tmp_path: Path, name: str, codec: str, how: dict[str, Any]
) -> None:
    path = clip(tmp_path / name, codec, frames=60, gop=35, **how)
    numbers = [0, 1, 2, 7, 20, 29, 33, 34, 35, 36, 52, 59]
    frames = [(number / 25, number) for number in numbers]
    assert seen(path, [at for at, _ in frames]) == frames
    assert seen(path, [at + 0.03 for at, _ in frames]) == frames
    for at, number in frames[3::2]:
        assert seen(path, [at]) == [(at, number)]


@pytest.mark.parametrize("rate", [7, 15, 16, 24, 30, 60, 120])
def test_times_that_were_rounded_to_milliseconds_are_of_the_same_frame(
    tmp_path: Path, rate: int
) -> None:
    path = clip(tmp_path / "a.mp4", rate=rate)
    times = [round(number / rate, 3) for number in range(50)]
    assert seen(path, times) == list(zip(times, range(50), strict=True))


@given(
    gaps=st.lists(st.integers(2, 3000), min_size=3, max_size=14),
    asked=st.lists(st.floats(0, 45), min_size=1, max_size=4),
    codec=st.sampled_from(["libx264", "mpeg4"]),
    name=st.sampled_from(["a.mp4", "a.mkv"]),
)
@settings(max_examples=60)
def test_in_any_rhythm_the_frame_at_a_time_is_the_last_that_began(
    gaps: list[int], asked: list[float], codec: str, name: str
) -> None:
    times = [at / 1000 for at in accumulate(gaps, initial=0)]
    with TemporaryDirectory() as folder:
        path = clip(Path(folder) / name, codec, size=(64, 36), gop=100, times=times, bf="2")
        frames = seen(path, sorted(asked))
        first, *_ = seen(path, [min(asked)])
    numbers = [max(i for i, at in enumerate(times) if at <= t + 0.0006) for t in sorted(asked)]
    assert frames == [(times[i], i) for i in numbers]
    assert frames[0] == first


def test_the_shown_frame_is_right_for_a_recording_of_variable_rate() -> None:
    path = MEDIA / "vtest12_vfr.mp4"
    with av.open(str(path)) as container:
        stamps = sorted(float(frame.time or 0) for frame in container.decode(video=0))
    assert len({round(b - a, 3) for a, b in pairwise(stamps)}) > 1
    times = [at for stamp in stamps[::7] for at in (stamp, stamp + 0.011)]
    specs = planned(path, times)
    expected_times = [max(stamp for stamp in stamps if stamp <= at + 0.0006) for at in times]
    frames = decode_frames(path, LIMITS, specs, 64)
    assert [shot.at for shot in frames] == [pytest.approx(at, abs=0.0006) for at in expected_times]


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
def test_times_count_from_the_first_picture(tmp_path: Path, name: str) -> None:
    path = clip(tmp_path / name, start=7.4)
    assert seen(path, [0.0, 0.05, 1.96]) == [(0.0, 0), (0.04, 1), (1.96, 49)]


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg4"])
def test_what_an_edit_list_leaves_out_is_not_shown(tmp_path: Path, codec: str) -> None:
    path = clip(tmp_path / "a.mp4", codec)
    edit_from(path, 7)
    assert seen(path, [0.0, 0.04, 1.0, 1.68]) == [(0.0, 7), (0.04, 8), (1.0, 32), (1.68, 49)]
    assert frame_times(path, LIMITS).at[0] == 0.0


def edit_from(path: Path, frame: int) -> None:
    """Let the edit list begin so many frames later (ISO/IEC 14496-12, 8.6.6)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 16
    (start,) = struct.unpack_from(">i", data, at)
    struct.pack_into(">i", data, at, start + frame * 512)
    path.write_bytes(data)


@pytest.fixture
def packets(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The packets that were read for decoding."""
    packets: list[Any] = []
    time_of_packet = VideoContainer.time_of_packet

    def record(video: VideoContainer, packet: Any) -> float | None:
        packets.append(packet)
        return time_of_packet(video, packet)

    monkeypatch.setattr(VideoContainer, "time_of_packet", record)
    return packets


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_frames_after_one_key_frame_are_decoded_in_one_go(
    tmp_path: Path, packets: list[Any], name: str
) -> None:
    path = clip(tmp_path / name, frames=200, gop=100)
    specs = planned(path, [4.2, 4.4, 4.8, 5.6, 6.0, 6.0])
    packets.clear()
    frames = decode_frames(path, LIMITS, specs, 160)
    assert [number_of(shot.jpeg) for shot in frames] == [105, 110, 120, 140, 150, 150]
    assert 51 <= len(packets) <= 51 + 5


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
@pytest.mark.parametrize("rate", [25, 30])
def test_a_key_frame_costs_little(tmp_path: Path, packets: list[Any], name: str, rate: int) -> None:
    path = clip(tmp_path / name, frames=200, rate=rate, gop=50)
    specs = planned(path, [number / rate for number in (50, 100, 150)])
    packets.clear()
    frames = decode_frames(path, LIMITS, specs, 160)
    assert [number_of(shot.jpeg) for shot in frames] == [50, 100, 150]
    assert len(packets) <= 3 * 5


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_turned_recording_comes_upright(tmp_path: Path, turned: int) -> None:
    def sideways(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
        upright = blocks(number, size if turned % 180 == 0 else size[::-1])
        return np.ascontiguousarray(np.rot90(upright, turned // 90))

    path = clip(tmp_path / "a.mp4", rotation=turned, draw=sideways)
    assert seen(path, [0.2, 1.0]) == [(0.2, 5), (1.0, 25)]
    assert first_frame_size(path, LIMITS) == (SIZE if turned % 180 == 0 else SIZE[::-1])


def test_a_turned_recording_shows_what_the_other_shows() -> None:
    specs = [FrameSpec(1.0), FrameSpec(5.0)]
    rotated_frames = decode_frames(MEDIA / "vtest12_rotated90.mp4", LIMITS, specs, 384)
    plain = decode_frames(MEDIA / "vtest12_h264.mp4", LIMITS, specs, 384)
    for one, other in zip(rotated_frames, plain, strict=True):
        assert (one.width, one.height) == (other.height, other.width)
        pixels = cv2.imdecode(np.frombuffer(one.jpeg, np.uint8), cv2.IMREAD_COLOR)
        back = cv2.resize(np.rot90(pixels, -1), (32, 18), interpolation=cv2.INTER_AREA)
        assert difference(back.tobytes(), other.mark) < 5


def test_of_a_stretch_the_sharpest_frame_is_taken(tmp_path: Path) -> None:
    def drawn(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
        pixels = blocks(number | 0x5500, size)
        return pixels if number == 28 else cv2.GaussianBlur(pixels, (0, 0), 3)

    path = clip(tmp_path / "a.mp4", draw=drawn, crf="5")
    [shot] = decode_frames(path, LIMITS, [FrameSpec(1.0, 1.2)], 160)
    assert shot.at == 1.12
    [other] = decode_frames(path, LIMITS, [FrameSpec(1.0, 1.1)], 160)
    assert 1.0 <= other.at < 1.1
    assert other.sharpness < shot.sharpness / 2


def test_frames_that_there_is_no_time_for_are_left_out(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4")
    hasty = LIMITS.model_copy(update={"child_seconds": 1e-9})
    assert decode_frames(path, hasty, [FrameSpec(0.0), FrameSpec(1.0)], 768) == ()


def test_a_jump_is_told_where_the_picture_changes(tmp_path: Path) -> None:
    def drawn(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
        return blocks(0xFF00 if number < 25 else 0x00FF, size)

    path = clip(tmp_path / "a.mp4", draw=drawn)
    calm, change, after = decode_frames(
        path, LIMITS, [FrameSpec(0.4, 0.4), FrameSpec(1.0, 1.0), FrameSpec(1.4)], 160
    )
    assert calm.jump < 5
    assert change.jump > 190
    assert after.jump == 0.0


def test_a_frame_tells_its_size_and_brightness(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", size=(320, 180), draw=lambda _, size: blocks(0, size) + 100)
    [small] = decode_frames(path, LIMITS, [FrameSpec(1.0)], 96)
    assert (small.width, small.height) == (96, 54)
    assert cv2.imdecode(np.frombuffer(small.jpeg, np.uint8), 1).shape == (54, 96, 3)
    assert small.brightness == pytest.approx(120, abs=3)
    assert len(small.mark) == 32 * 18 * 3
    [whole] = decode_frames(path, LIMITS, [FrameSpec(1.0)], 4000)
    assert (whole.width, whole.height) == (320, 180)


def test_after_the_end_the_last_frame_is_shown(tmp_path: Path) -> None:
    assert seen(clip(tmp_path / "a.mp4"), [1.99, 5.0, 9e5]) == [(1.96, 49)] * 3


def test_a_difference_is_that_of_the_part_that_differs_most() -> None:
    plain = np.full((18, 32, 3), 50, np.uint8)
    other = plain.copy()
    other[3:6, 4:8] = 110
    assert difference(plain.tobytes(), plain.tobytes()) == 0
    assert difference(plain.tobytes(), other.tobytes()) == pytest.approx(60, abs=1)


def test_a_frame_is_cut_at_full_size(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", size=(1280, 720))
    assert frame_at(path, LIMITS, 1.4).shape == (720, 1280, 3)
    whole = crop_frame(path, LIMITS, 1.4, Box(0, 0, 1000, 1000), 2048)
    assert (whole.width, whole.height, number_of(whole.jpeg)) == (1280, 720, 35)
    quarter = crop_frame(path, LIMITS, 1.4, Box(0, 0, 500, 500), 2048)
    assert (quarter.width, quarter.height) == (641, 361)
    assert number_in(quarter_of_blocks(35)) == number_of(quarter.jpeg)


def quarter_of_blocks(number: int) -> NDArray[np.uint8]:
    return blocks(number, (1280, 720))[:360, :640]


def test_a_frame_of_a_file_that_holds_none_is_gone(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", frames=3)
    with av.open(str(path)) as container:
        sizes = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    data = path.read_bytes()
    for packet in sizes:
        data = data.replace(packet, bytes(len(packet)))
    path.write_bytes(data)
    assert decode_frames(path, LIMITS, [FrameSpec(0.0)], 160) == ()
    with pytest.raises(FileProblem) as error:
        crop_frame(path, LIMITS, 0.0, Box(0, 0, 500, 500), 512)
    assert error.value.reason is Reason.GONE


def test_a_frame_that_grows_beyond_the_limit_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuvj420p"
        for number in range(4):
            size = (3000, 2000) if number == 2 else SIZE
            jpeg = cv2.imencode(".jpg", blocks(number, size))[1].tobytes()
            packet = av.Packet(jpeg)
            packet.stream, packet.pts, packet.dts = stream, number, number
            packet.time_base, packet.is_keyframe = Fraction(1, 25), True
            container.mux(packet)
    specs = [FrameSpec(number / 25) for number in range(4)]
    limits = FileLimits(max_photo_pixels=1_000_000, _env_file=None)
    assert [number_of(s.jpeg) for s in decode_frames(path, limits, specs, 160)] == [0, 1, 1, 3]
    assert [number_of(s.jpeg) for s in decode_frames(path, LIMITS, specs, 160)] == [0, 1, 2, 3]


def test_lack_of_memory_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def starved(reel: VideoContainer, seconds: float) -> None:
        raise av.error.MemoryError(12, "Cannot allocate memory")

    monkeypatch.setattr(VideoContainer, "seek", starved)
    with pytest.raises(MemoryError):
        decode_frames(clip(tmp_path / "a.mp4"), LIMITS, [FrameSpec(0.0)], 160)


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is counted otherwise elsewhere")
async def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    peaks = []
    for seconds in (10, 120):
        path = clip(tmp_path / f"{seconds}.mp4", "mpeg4", frames=seconds * 25, size=(320, 180))
        children = ChildProcesses(ChildLimits(_env_file=None), LIMITS)
        specs = [FrameSpec(seconds * i / 20) for i in range(20)]
        try:
            peaks.append(await children.run(peak_of_shots, path, specs))
        finally:
            await children.close()
    assert peaks[1] - peaks[0] < 6 * 2**20


def peak_of_shots(path: Path, specs: list[FrameSpec]) -> int:
    """The most memory that this process had, in bytes."""
    frame_times(path, LIMITS)
    assert len(decode_frames(path, LIMITS, specs, 160)) == len(specs)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
