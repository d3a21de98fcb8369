"""The frames of an opened video: each at its time, in order, wherever one goes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from bot.limits import FileLimits
from bot.media.video_colour import to_pixels
from bot.media.video_container import open_video
from bot.media.video_decoder import VideoDecoder
from tests.helpers.video_clips import clip, number_in

if TYPE_CHECKING:
    from pathlib import Path

    from bot.media.video_container import VideoContainer
    from bot.media.video_decoder import TimedFrame

LIMITS = FileLimits(_env_file=None)
CODECS = ["libx264", "libx265", "mpeg4", "libvpx-vp9"]


def number(reel: VideoContainer, frame: TimedFrame | None) -> int:
    assert frame is not None
    return number_in(to_pixels(frame[1], 160, reel.aspect))


@pytest.mark.parametrize("codec", CODECS)
def test_any_time_gives_the_frame_that_is_shown(tmp_path: Path, codec: str) -> None:
    path = clip(tmp_path / "a.mp4", codec, frames=60, gop=20, rate=25)
    numbers = [random.Random(codec).randrange(60) for _ in range(25)]
    with open_video(path, LIMITS) as reel:
        source = VideoDecoder(reel)
        assert [number(reel, source.frame(n / 25 + 0.02)) for n in numbers] == numbers


def test_a_frame_that_is_shown_for_long_is_found_though_it_was_passed_over(tmp_path: Path) -> None:
    times = [n * 0.04 for n in range(20)] + [5.0 + n * 0.04 for n in range(20)]
    path = clip(tmp_path / "a.mp4", frames=40, gop=40, times=times)
    with open_video(path, LIMITS) as reel:
        assert [number(reel, VideoDecoder(reel).frame(at)) for at in (4.9, 3.0, 0.77)] == [
            19,
            19,
            19,
        ]


def test_a_time_before_the_first_or_after_the_last_gives_the_nearest(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=10)
    with open_video(path, LIMITS) as reel:
        source = VideoDecoder(reel)
        assert number(reel, source.frame(99.0)) == 9
        assert number(reel, source.frame(-1.0)) == 0


@pytest.mark.parametrize("codec", CODECS)
def test_passing_gives_some_frames_in_order_and_each_key_frame(tmp_path: Path, codec: str) -> None:
    path = clip(tmp_path / "a.mp4", codec, frames=100, gop=20, rate=25)
    with open_video(path, LIMITS) as reel:
        frames = [(at, number(reel, (at, one))) for at, one in VideoDecoder(reel).skim(0.8, 3.0)]
    assert [at for at, _ in frames] == pytest.approx([n / 25 for _, n in frames])
    assert {20, 40, 60} <= {n for _, n in frames}
    assert [n for _, n in frames] == sorted({n for _, n in frames})
    assert all(20 <= n < 75 for _, n in frames)


def test_frames_that_no_other_is_made_from_are_passed_over(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=100, gop=50)
    with open_video(path, LIMITS) as reel:
        assert 30 <= len(list(VideoDecoder(reel).skim(0.0, 9.0))) <= 70


def test_the_frame_before_a_wanted_one_is_there(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=40, gop=20, rate=25)
    with open_video(path, LIMITS) as reel:
        source = VideoDecoder(reel)
        source.frame(0.6)
        assert source.previous is not None
        assert number(reel, (0.56, source.previous)) == 14


def test_a_source_that_is_late_has_no_more(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=40)
    with open_video(path, LIMITS) as reel:
        source = VideoDecoder(reel, seconds=0.0)
        assert source.frame(0.2) is None
        assert source.out_of_time
        assert not VideoDecoder(reel).out_of_time
