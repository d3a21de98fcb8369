"""The first pass through a video: its facts, its pictures' times, and what damage does to it."""

from __future__ import annotations

import hashlib
import struct
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from bot.domain.files import VideoFacts
from bot.errors import FileProblem, Reason
from bot.limits import FileLimits
from bot.media import video_probe as scan
from bot.media.frames import FrameTimes
from bot.media.photos import PreparedPhoto
from bot.media.video_frames import decode_frames
from bot.media.video_probe import ProbedFile, frame_times, open_file, probe
from bot.video.sampling import plan_frames
from tests.helpers.images import MEDIA
from tests.helpers.video_clips import animation, blocks, clip, number_of, patch

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.frames import VideoFrame

LIMITS = FileLimits(_env_file=None)


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the limit of Pillow, which is one of the whole process."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)


def facts(path: Path, **limits: Any) -> VideoFacts:
    result = probe(path, FileLimits(_env_file=None, **limits))
    assert result is not None
    return result.facts


def why_not(path: Path, **limits: Any) -> Reason:
    with pytest.raises(FileProblem) as error:
        open_file(path, FileLimits(_env_file=None, **limits))
    return error.value.reason


@pytest.mark.parametrize(
    ("name", "codec", "kind", "told"),
    [
        ("a.mp4", "libx264", "MP4 video", "h264"),
        ("a.mov", "libx265", "QuickTime video", "hevc"),
        ("a.webm", "libvpx-vp9", "Matroska or WebM video", "vp9"),
        ("a.mkv", "libsvtav1", "Matroska or WebM video", "av1"),
        ("a.avi", "mpeg4", "AVI video", "mpeg4"),
        ("a.avi", "libx264", "AVI video", "h264"),
    ],
)
@pytest.mark.parametrize("sound", [False, True])
def test_the_facts_of_a_video(
    tmp_path: Path, name: str, codec: str, kind: str, told: str, sound: bool
) -> None:
    path = clip(tmp_path / name, codec, frames=60, sound=sound)
    assert facts(path) == VideoFacts(
        format=kind,
        codec=told,
        width=160,
        height=90,
        size=path.stat().st_size,
        seconds=2.4,
        rate=25.0,
        sound=sound,
    )


def test_a_video_is_known_by_the_digest_of_its_bytes(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4")
    result = probe(path, LIMITS)
    assert result is not None
    assert result.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_turned_video_has_its_upright_size() -> None:
    plain, rotated = facts(MEDIA / "vtest12_h264.mp4"), facts(MEDIA / "vtest12_rotated90.mp4")
    assert (plain.width, plain.height) == (rotated.height, rotated.width)
    assert plain.width > plain.height


@pytest.mark.parametrize(
    ("transfer", "hdr"), [("smpte2084", True), ("arib-std-b67", True), ("bt709", False)]
)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_high_dynamic_range_is_told(tmp_path: Path, name: str, transfer: str, hdr: bool) -> None:
    how: dict[str, Any] = {"x265-params": f"log-level=none:transfer={transfer}"}
    path = clip(tmp_path / name, "libx265", frames=5, pixels="yuv420p10le", **how)
    assert facts(path).hdr is hdr


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.webm"])
def test_one_frame_is_a_video_without_length(tmp_path: Path, name: str) -> None:
    path = clip(tmp_path / name, "libvpx-vp9" if name == "a.webm" else "libx264", frames=1)
    video_facts = facts(path)
    assert (video_facts.seconds, video_facts.rate, video_facts.incomplete) == (0.0, 0.0, False)
    assert frame_times(path, LIMITS).at.tolist() == [0.0]


def test_ten_thousand_frames_are_listed_at_once(tmp_path: Path) -> None:
    path = repeated(tmp_path / "a.mkv", 10_000, 50)
    began = time.monotonic()
    video_facts, ticks = facts(path), frame_times(path, LIMITS)
    plan = plan_frames(ticks, [(0.0, 200.0)], 40, 1000)
    assert time.monotonic() - began < 3
    assert (video_facts.seconds, video_facts.rate) == (200.0, 50.0)
    assert ticks.at.tolist() == pytest.approx([number / 50 for number in range(10_000)], abs=5e-4)
    frames = decode_frames(path, LIMITS, [one.spec for one in plan], 160)
    assert [shot.at for shot in frames] == [one.spec.at for one in plan]


def repeated(path: Path, frames: int, rate: int) -> Path:
    """Make a video of the same JPEG so many times."""
    jpeg = cv2.imencode(".jpg", blocks(5))[1].tobytes()
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mjpeg", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuvj420p"
        for number in range(frames):
            packet = av.Packet(jpeg)
            packet.stream, packet.is_keyframe = stream, True
            packet.pts = packet.dts = number
            packet.time_base = Fraction(1, rate)
            container.mux(packet)
    return path


def test_no_more_packets_are_listed_than_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "MAX_PACKETS", 20)
    path = clip(tmp_path / "a.mp4", bf="0")
    assert len(frame_times(path, LIMITS).at) == 20
    assert facts(path).seconds == 0.8


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_pictures_of_variable_rate_are_listed_in_order(tmp_path: Path, name: str) -> None:
    times = [0.0, 0.04, 0.5, 0.51, 0.9, 2.3, 2.301, 4.0]
    ticks = frame_times(clip(tmp_path / name, times=times), LIMITS)
    assert ticks.at.tolist() == pytest.approx(times)
    assert ticks.key.tolist() == [True, *[False] * 7]


def test_a_recording_of_variable_rate_has_a_rate_on_average() -> None:
    video_facts = facts(MEDIA / "vtest12_vfr.mp4")
    ticks = frame_times(MEDIA / "vtest12_vfr.mp4", LIMITS)
    assert video_facts.rate == pytest.approx((len(ticks.at) - 1) / ticks.at[-1], abs=0.001)
    assert video_facts.seconds == pytest.approx(ticks.at[-1] + 1 / video_facts.rate, abs=0.001)


def test_a_stretch_holds_its_start_and_not_its_end() -> None:
    ticks = FrameTimes(np.arange(5) / 2, np.arange(5), np.array([True, False] * 2 + [True]))
    part = ticks.within(0.5, 1.5)
    assert part.at.tolist() == [0.5, 1.0]
    assert part.size.tolist() == [1, 2]
    assert part.key.tolist() == [False, True]


@pytest.mark.parametrize(("box", "offset"), [(b"mvhd", 20), (b"mdhd", 20), (b"tkhd", 24)])
def test_a_declared_length_is_not_believed(tmp_path: Path, box: bytes, offset: int) -> None:
    path = clip(tmp_path / "a.mp4")
    patch(path, box, offset, b"\xff\xff\xff\xf0")
    assert facts(path).seconds == 2.0


def test_an_endless_matroska_file_is_as_long_as_its_pictures(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv")
    patch(path, b"\x44\x89\x88", 3, struct.pack(">d", 1e18))
    assert facts(path).seconds == 2.0


def test_a_leap_of_time_costs_nothing(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", times=[0.0, 0.04, 0.08, 90_000.0])
    assert facts(path).seconds == pytest.approx(120_000)
    plan = plan_frames(frame_times(path, LIMITS), [(0.0, 200_000.0)], 40, 1000)
    frames = decode_frames(path, LIMITS, [one.spec for one in plan], 160)
    assert [(shot.at, number_of(shot.jpeg)) for shot in frames][-1] == (90_000.0, 3)


def test_a_video_larger_than_allowed_is_refused(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4")
    size = path.stat().st_size
    assert why_not(path, max_video_bytes=size - 1) is Reason.TOO_LARGE_VIDEO
    assert facts(path, max_video_bytes=size).size == size


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"A letter.", Reason.UNSUPPORTED),
        (b"#EXTM3U\n", Reason.UNSUPPORTED),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(900), Reason.DAMAGED),
        (b"\x1a\x45\xdf\xa3" + bytes(900), Reason.DAMAGED),
        (b"RIFF\xff\xff\0\0AVI LIST" + bytes(900), Reason.DAMAGED),
    ],
)
def test_what_is_no_video_is_refused_with_its_reason(
    tmp_path: Path, data: bytes, reason: Reason
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    assert why_not(path) is reason


def test_a_photo_is_taken_in_as_such(tmp_path: Path) -> None:
    photo = open_file(MEDIA / "fruits.jpg", LIMITS)
    assert isinstance(photo, PreparedPhoto)
    assert probe(MEDIA / "fruits.jpg", LIMITS) is None


def test_a_video_with_the_name_of_a_photo_is_taken_in_as_such(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4").rename(tmp_path / "a.jpg")
    assert isinstance(open_file(path, LIMITS), ProbedFile)


def test_a_video_without_one_whole_picture_is_damaged(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", "libvpx-vp9", frames=4)
    data = path.read_bytes()
    start = data.index(b"\x1f\x43\xb6\x75") + 20
    path.write_bytes(data[:start] + bytes(len(data) - start))
    assert why_not(path) is Reason.DAMAGED


def looked_at(path: Path) -> tuple[VideoFrame, ...] | FileProblem:
    """Do with a file all that is done with a video."""
    limits = FileLimits(max_photo_pixels=500_000, _env_file=None)
    try:
        result = open_file(path, limits)
        if isinstance(result, PreparedPhoto):
            return ()
        plan = plan_frames(frame_times(path, limits), [(0.0, result.facts.seconds + 1)], 10, 1000)
        return decode_frames(path, limits, [one.spec for one in plan], 160)
    except FileProblem as problem:
        return problem


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mp4", "libx265"),
        ("a.mkv", "libx264"),
        ("a.avi", "libx264"),
        ("a.avi", "mpeg4"),
        ("a.webm", "libvpx-vp9"),
        ("a.webm", "libsvtav1"),
        ("a.gif", ""),
        ("a.webp", ""),
    ],
)
@pytest.mark.parametrize("where", ["header", "pictures"])
def test_damage_costs_no_more_than_the_file(
    tmp_path: Path, name: str, codec: str, where: str
) -> None:
    path = tmp_path / name
    if codec:
        clip(path, codec, frames=40, sound=True, movflags="faststart" if name == "a.mp4" else "")
    else:
        animation(path)
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    middle = len(whole) // 2
    start, stop = (12, min(2_000, middle)) if where == "header" else (middle, len(whole))
    random = np.random.default_rng(len(whole))
    seen = 0
    for count in (1, 3, 9, 27, 81, 1, 3, 9):
        copy = whole.copy()
        copy[random.integers(start, stop, count)] = random.integers(0, 256, count)
        path.write_bytes(copy.tobytes())
        began = time.monotonic()
        outcome = looked_at(path)
        assert time.monotonic() - began < 5
        seen += isinstance(outcome, tuple) and len(outcome) > 0
    if where == "pictures" and name != "a.webp":  # Its reader wants a file that is whole.
        assert seen >= 6
