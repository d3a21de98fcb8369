"""Animated pictures as short videos: their frames, times and facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from bot.errors import FileProblem, Reason
from bot.limits import FileLimits
from bot.media.animation import is_animated, open_animation
from bot.media.frames import FrameSpec
from bot.media.photos import PreparedPhoto
from bot.media.video_frames import decode_frames, frame_at
from bot.media.video_probe import ProbedFile, frame_times, open_file
from tests.helpers.images import MEDIA
from tests.helpers.video_clips import animation, clip, number_in, number_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LIMITS = FileLimits(_env_file=None)
NAMES = pytest.mark.parametrize("name", ["a.gif", "a.webp"])


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the limit of Pillow, which is one of the whole process."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)


def seen(path: Path, times: Sequence[float]) -> list[tuple[float, int]]:
    made = decode_frames(path, LIMITS, [FrameSpec(at) for at in times], 160)
    return [(shot.at, number_of(shot.jpeg)) for shot in made]


@NAMES
def test_an_animation_is_taken_in_as_a_video(tmp_path: Path, name: str) -> None:
    path = animation(tmp_path / name)
    found = open_file(path, LIMITS)
    assert isinstance(found, ProbedFile)
    told = (found.facts.format, found.facts.codec, found.facts.width, found.facts.height)
    kind = "GIF" if name == "a.gif" else "WEBP"
    assert told == (f"animated {kind}", kind.lower(), 160, 90)
    assert (found.facts.seconds, found.facts.rate) == (0.6, 20.0)
    assert (found.facts.sound, found.facts.hdr, found.facts.incomplete) == (False, False, False)


@NAMES
def test_each_frame_is_the_one_of_its_time(tmp_path: Path, name: str) -> None:
    path = animation(tmp_path / name)
    assert seen(path, [0.0, 0.049, 0.05, 0.27, 0.55, 9.0]) == [
        (0.0, 0),
        (0.0, 0),
        (0.05, 1),
        (0.25, 5),
        (0.55, 11),
        (0.55, 11),
    ]
    assert number_in(frame_at(path, LIMITS, 0.27)) == 5


@NAMES
def test_times_may_vary(tmp_path: Path, name: str) -> None:
    path = animation(tmp_path / name, 4, duration=[30, 500, 70, 200])
    assert frame_times(path, LIMITS).at.tolist() == pytest.approx([0.0, 0.03, 0.53, 0.6])
    assert frame_times(path, LIMITS).key.all()
    assert seen(path, [0.4, 0.59, 0.7]) == [(0.03, 1), (0.53, 2), (0.6, 3)]


def test_frames_that_ask_for_no_time_are_shown_as_browsers_show_them(tmp_path: Path) -> None:
    path = animation(tmp_path / "a.gif", 3, duration=[0, 10, 20])
    assert frame_times(path, LIMITS).at.tolist() == pytest.approx([0.0, 0.1, 0.2])


@NAMES
def test_one_frame_is_a_photo(tmp_path: Path, name: str) -> None:
    path = animation(tmp_path / name, 1)
    assert not is_animated(path, LIMITS)
    assert isinstance(open_file(path, LIMITS), PreparedPhoto)


def test_other_kinds_do_not_move(tmp_path: Path) -> None:
    assert not is_animated(MEDIA / "fruits.jpg", LIMITS)
    assert not is_animated(clip(tmp_path / "a.mp4", frames=3), LIMITS)
    assert is_animated(MEDIA / "iss634.gif", LIMITS)


def test_a_cut_animation_shows_what_it_holds(tmp_path: Path) -> None:
    path = animation(tmp_path / "a.gif")
    whole = path.read_bytes()
    for share in (0.3, 0.5, 0.7, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        found = open_file(path, LIMITS)
        assert isinstance(found, ProbedFile)
        assert found.facts.incomplete
        held = len(frame_times(path, LIMITS).at)
        assert 12 * share - 2 < held < 12
        numbers = [number for _, number in seen(path, [at / 20 for at in range(held)])]
        assert numbers[:-1] == list(range(held - 1))


def test_at_any_cut_an_animation_is_a_video_a_photo_or_refused(tmp_path: Path) -> None:
    path = animation(tmp_path / "a.gif", 3)
    whole = path.read_bytes()
    for length in range(20, len(whole), 7):
        path.write_bytes(whole[:length])
        try:
            found: Any = open_file(path, LIMITS)
        except FileProblem as problem:
            found = problem
        assert isinstance(found, ProbedFile | PreparedPhoto | FileProblem)


@NAMES
def test_an_animation_of_too_many_pixels_is_refused(tmp_path: Path, name: str) -> None:
    path = animation(tmp_path / name)
    for pixels in (160 * 90 // 3, 160 * 90 - 1):
        limits = FileLimits(max_photo_pixels=pixels, _env_file=None)
        with pytest.raises(FileProblem) as caught, open_animation(path, limits):
            pass
        assert caught.value.reason is Reason.TOO_MANY_PIXELS
        with pytest.raises(FileProblem) as caught:
            open_file(path, limits)
        assert caught.value.reason is Reason.TOO_MANY_PIXELS


def test_a_canvas_that_grows_beyond_the_limit_ends_the_animation(tmp_path: Path) -> None:
    """A later frame of a GIF may be larger than the canvas that its header declares."""
    path = animation(tmp_path / "a.gif", 4)
    data = bytearray(path.read_bytes())
    place = -1
    for _ in range(3):
        place = data.index(b"\x21\xf9\x04", place + 1)
    at = place + 8
    assert data[at : at + 1] == b","
    data[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert len(frame_times(path, LIMITS).at) == 2


def test_see_through_frames_lie_on_white(tmp_path: Path) -> None:
    pages = [Image.new("RGBA", (40, 40), (200, 0, 0, 0 if number else 255)) for number in range(2)]
    path = tmp_path / "a.webp"
    pages[0].save(path, save_all=True, append_images=pages[1:], duration=100, lossless=True)
    dark, light = decode_frames(path, LIMITS, [FrameSpec(0.0), FrameSpec(0.1)], 40)
    assert dark.brightness == pytest.approx(200 / 3, abs=3)
    assert light.brightness > 250


def test_a_frame_is_made_small(tmp_path: Path) -> None:
    [shot] = decode_frames(animation(tmp_path / "a.gif"), LIMITS, [FrameSpec(0.3)], 80)
    assert (shot.width, shot.height) == (80, 45)
    assert number_of(shot.jpeg) == 6
