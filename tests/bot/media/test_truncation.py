"""Files that end too early: noticed by their own lengths, and looked at as far as they go."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import FileProblem, Reason
from bot.limits import FileLimits
from bot.media.frames import FrameSpec
from bot.media.truncation import is_truncated, last_box_end
from bot.media.video_container import kind_of
from bot.media.video_frames import decode_frames
from bot.media.video_probe import frame_times, probe
from tests.helpers.video_clips import animation, clip, number_of

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = FileLimits(_env_file=None)
KINDS: list[tuple[str, str, dict[str, Any]]] = [
    ("a.mp4", "libx264", {"movflags": "faststart"}),
    ("a.mov", "libx264", {"movflags": "faststart"}),
    ("a.mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
    ("a.mkv", "libx264", {}),
    ("a.mkv", "libx265", {}),
    ("a.webm", "libvpx-vp9", {}),
    ("a.avi", "libx264", {}),
    ("a.avi", "libx264", {"sound": True}),
    ("a.avi", "mpeg4", {}),
    ("a.avi", "mjpeg", {"pixels": "yuvj420p"}),
]


def cut(path: Path, share: float) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


@pytest.mark.parametrize(("name", "codec", "how"), KINDS)
def test_a_whole_file_is_not_cut(
    tmp_path: Path, name: str, codec: str, how: dict[str, Any]
) -> None:
    path = clip(tmp_path / name, codec, **how)
    assert not is_truncated(path, kind_of(path))


@pytest.mark.parametrize(("name", "codec", "how"), KINDS)
@pytest.mark.parametrize("share", [0.65, 0.85])
def test_a_cut_video_shows_what_it_holds(
    tmp_path: Path, name: str, codec: str, how: dict[str, Any], share: float
) -> None:
    path = clip(tmp_path / name, codec, frames=120, gop=20, **how)
    cut(path, share)
    result = probe(path, LIMITS)
    assert result is not None
    assert result.facts.incomplete
    count = len(frame_times(path, LIMITS).at)
    assert result.facts.seconds == pytest.approx(count / 25, abs=0.2)
    assert count > 40
    frames = decode_frames(path, LIMITS, [FrameSpec(number / 25) for number in range(count)], 160)
    off = [shot for shot in frames if number_of(shot.jpeg) != round(shot.at * 25)]
    assert len(off) <= 1  # The last picture may be cut itself.
    assert len({shot.at for shot in frames}) >= count - 3


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_without_the_index_at_the_end_nothing_can_be_had(tmp_path: Path, name: str) -> None:
    path = clip(tmp_path / name, frames=100)
    cut(path, 0.9)
    assert is_truncated(path, kind_of(path))
    with pytest.raises(FileProblem) as error:
        probe(path, LIMITS)
    assert error.value.reason is Reason.DAMAGED


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_an_animation_tells_that_it_is_cut(tmp_path: Path, name: str) -> None:
    path = animation(tmp_path / name)
    assert not is_truncated(path, kind_of(path))
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert is_truncated(path, kind_of(path))
    path.write_bytes(whole + bytes(9))
    assert not is_truncated(path, kind_of(path))


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (box(b"ftyp", bytes(8)) + box(b"mdat", bytes(90)), 16 + 98),
        (box(b"ftyp", bytes(8)) + struct.pack(">I4s", 900, b"mdat") + bytes(90), 16 + 900),
        (struct.pack(">I4sQ", 1, b"mdat", 7_000_000_000) + bytes(90), 7_000_000_000),
        (box(b"ftyp", bytes(8)) + struct.pack(">I4s", 0, b"mdat") + bytes(90), 16 + 98),
        (struct.pack(">I4s", 2, b"mdat") + bytes(20), 28),
        (b"", 0),
    ],
)
def test_boxes_are_added_up(data: bytes, end: int) -> None:
    assert last_box_end(io.BytesIO(data), len(data)) == end


@pytest.mark.parametrize(
    ("length", "result"),
    [
        (b"\x01\xff\xff\xff\xff\xff\xff\xff", False),  # not told, as of live recordings
        (b"\xff", False),
        (b"\x82", False),
        (b"\x40\x04", False),
        (b"\x40\x05", True),
        (b"\x01\0\0\0\0\0\x10\0", True),
    ],
)
def test_the_length_of_a_segment_is_read(tmp_path: Path, length: bytes, result: bool) -> None:
    path = tmp_path / "a.mkv"
    path.write_bytes(b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67" + length + b"four")
    assert is_truncated(path, kind_of(path)) is result


def test_a_matroska_file_without_a_segment_is_not_called_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    path.write_bytes(b"\x1a\x45\xdf\xa3\x80")
    assert not is_truncated(path, kind_of(path))
    path.write_bytes(b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67")
    assert not is_truncated(path, kind_of(path))
