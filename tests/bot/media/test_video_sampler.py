"""A stretch of a video watched from its start to its end, of which what is new is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from bot.errors import FileProblem, Reason
from bot.limits import FileLimits
from bot.media.frame_marks import MIN_CHANGE
from bot.media.video_sampler import BLOCK, SampledFrames, sample
from tests.helpers.video_clips import clip, number_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from bot.media.frames import VideoFrame

LIMITS = FileLimits(_env_file=None)
RATE = 25


def seen(
    path: Path, start: float = 0.0, end: float = 100.0, slot: float = 0.5
) -> tuple[VideoFrame, ...]:
    return sample(path, LIMITS, start, end, slot, 768).frames


def calm(*patches: range) -> Any:
    """Draw grey frames, but for those that have a white patch."""

    def drawn(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
        pixels = np.full((size[1], size[0], 3), 90, np.uint8)
        if any(number in patch for patch in patches):
            cv2.rectangle(pixels, (40, 30), (70, 50), (250, 250, 250), cv2.FILLED)
        return pixels

    return drawn


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg4", "libvpx-vp9"])
def test_frames_have_the_times_at_which_they_are_shown(tmp_path: Path, codec: str) -> None:
    shots = seen(clip(tmp_path / "a.mp4", codec, frames=90, gop=30, rate=RATE))
    assert len(shots) >= 5
    assert [shot.at for shot in shots] == [number_of(shot.jpeg) / RATE for shot in shots]


def test_only_the_stretch_is_watched(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=200, gop=50, rate=RATE)
    shots = seen(path, 3.0, 5.0)
    assert 1 < len(shots) <= BLOCK / 0.5
    assert all(3.0 <= shot.at < 5.0 for shot in shots)
    assert shots[0].at == 3.0


@pytest.mark.parametrize("first", [40, 53, 101, 144])
def test_what_is_there_for_half_a_second_is_kept(tmp_path: Path, first: int) -> None:
    path = clip(tmp_path / "a.mp4", frames=200, gop=100, draw=calm(range(first, first + 13)))
    shots = seen(path, slot=2.5)
    there = [shot for shot in shots if first <= round(shot.at * RATE) < first + 13]
    assert there
    assert max(shot.jump for shot in there) > 100


def test_there_are_as_many_frames_as_slots_at_most(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=300, gop=50, rate=RATE)
    assert len(seen(path, slot=0.5)) <= 30
    assert len(seen(path, slot=2.5)) <= 6
    assert len(seen(path, slot=60)) == 3


def test_of_frames_that_look_alike_a_sharper_one_close_by_is_kept(tmp_path: Path) -> None:
    def drawn(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
        pixels = np.full((size[1], size[0], 3), 120, np.uint8)
        pixels[::2] = 130
        return pixels if number in range(3, 7) else cv2.blur(pixels, (9, 9))

    path = clip(tmp_path / "a.mp4", frames=50, gop=10, draw=drawn)
    (shot,) = seen(path, slot=5)
    assert 3 / RATE <= shot.at < 7 / RATE


@pytest.mark.parametrize("cut", [31, 62, 118])
def test_the_moment_of_a_cut_is_kept(tmp_path: Path, cut: int) -> None:
    def drawn(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
        return np.full((size[1], size[0], 3), 60 if number < cut else 190, np.uint8)

    shots = seen(clip(tmp_path / "a.mp4", frames=125, gop=50, draw=drawn), slot=5)
    (moment,) = (shot.at for shot in shots if shot.jump)
    assert moment == pytest.approx(cut / RATE, abs=0.4)


def test_what_moves_all_the_time_is_no_change(tmp_path: Path) -> None:
    def drawn(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
        pixels = np.full((size[1], size[0], 3), 90, np.uint8)
        left = 5 + 3 * (number % 40)
        cv2.rectangle(pixels, (left, 30), (left + 20, 60), (220, 220, 220), cv2.FILLED)
        return pixels

    shots = seen(clip(tmp_path / "a.mp4", frames=39, gop=50, draw=drawn), slot=0.5)
    assert len(shots) > 5
    assert max(shot.jump for shot in shots) < MIN_CHANGE


def test_frames_are_as_small_as_is_wanted(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=30, size=(1920, 1080))
    assert {(shot.width, shot.height) for shot in seen(path)} == {(768, 432)}


def test_slow_videos_give_every_frame(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=9, rate=2)
    assert [shot.at for shot in seen(path, slot=0.1)] == [n / 2 for n in range(9)]


def test_a_file_cut_in_the_middle_gives_what_it_holds(tmp_path: Path) -> None:
    whole = clip(tmp_path / "a.mkv", frames=100, gop=25, rate=RATE)
    cut = tmp_path / "b.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    shots = seen(cut)
    assert 0 < max(shot.at for shot in shots) < 3.2


def test_when_time_is_up_it_gives_what_it_has(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4")
    assert sample(path, LIMITS, 0.0, 9.0, 0.5, 768).is_complete
    hasty = LIMITS.model_copy(update={"child_seconds": 1e-9})
    assert sample(path, hasty, 0.0, 9.0, 0.5, 768) == SampledFrames((), is_complete=False)


def test_a_stretch_behind_the_end_gives_nothing(tmp_path: Path) -> None:
    assert seen(clip(tmp_path / "a.mp4"), 50.0, 60.0) == ()


def test_what_is_no_video_has_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"\0\0\0\x18ftypisom" + bytes(300))
    with pytest.raises(FileProblem) as error:
        seen(path)
    assert error.value.reason is Reason.DAMAGED
