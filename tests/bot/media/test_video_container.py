"""Opening videos: what is refused and why, what a file tells of itself, when its pictures are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import av
import cv2
import pytest
from av.stream import Disposition

from bot.errors import FileProblem, Reason
from bot.limits import FileLimits
from bot.media import file_types as kinds
from bot.media.video_container import MAX_TAG, kind_of, open_video, tags_of
from tests.helpers.images import MEDIA
from tests.helpers.video_clips import blocks, clip, patch, silence

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = FileLimits(_env_file=None)


def refused(path: Path, limits: FileLimits = LIMITS) -> tuple[Reason, str]:
    """Why a file is not opened, and the detail."""
    with pytest.raises(FileProblem) as error, open_video(path, limits):
        pass
    return error.value.reason, error.value.detail


def tags(path: Path) -> dict[str, Any]:
    with open_video(path, LIMITS) as reel:
        return tags_of(reel)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.mp4", kinds.MP4),
        ("a.mov", kinds.QUICKTIME),
        ("a.mkv", kinds.MATROSKA),
        ("a.avi", kinds.AVI),
    ],
)
def test_a_video_is_known_by_its_bytes_whatever_its_name(
    tmp_path: Path, name: str, kind: kinds.FileType
) -> None:
    path = clip(tmp_path / name, frames=3).rename(tmp_path / "holiday.jpg")
    with open_video(path, LIMITS) as reel:
        assert (reel.kind, reel.codec) == (kind, "h264")
        assert (reel.stream.width, reel.stream.height) == (160, 90)


@pytest.mark.parametrize(
    ("codec", "told"),
    [
        ("libx265", "hevc"),
        ("libvpx-vp9", "vp9"),
        ("libsvtav1", "av1"),
        ("mpeg4", "mpeg4"),
        ("ffv1", "ffv1"),
    ],
)
def test_a_codec_has_one_name_whichever_library_decodes_it(
    tmp_path: Path, codec: str, told: str
) -> None:
    with open_video(clip(tmp_path / "a.mkv", codec, frames=3), LIMITS) as reel:
        assert reel.codec == told


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nclip.mp4\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile clip.mp4\n",
        '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        "file:clip.mp4",
        "A letter that was named as if it were a film.",
    ],
)
def test_a_text_is_no_video_even_if_it_leads_to_one(tmp_path: Path, text: str) -> None:
    clip(tmp_path / "clip.mp4", frames=3)
    path = tmp_path / "list.mp4"
    path.write_text(text)
    assert refused(path)[0] is Reason.UNSUPPORTED


def test_a_playlist_with_the_head_of_a_video_leads_nowhere(tmp_path: Path) -> None:
    clip(tmp_path / "clip.mp4", frames=3)
    path = tmp_path / "list.mp4"
    head = b"\0\0\0\x10ftypisom\0\0\0\0"
    path.write_bytes(head + b"\n#EXTM3U\n#EXTINF:10,\nclip.mp4\n#EXT-X-ENDLIST\n")
    assert refused(path)[0] is Reason.DAMAGED


def test_an_empty_file_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.touch()
    assert refused(path) == (Reason.EMPTY, "")
    with pytest.raises(FileProblem):
        kind_of(path)


def test_a_picture_is_no_video() -> None:
    assert refused(MEDIA / "fruits.jpg") == (Reason.UNSUPPORTED, "JPEG")


def test_sound_alone_has_no_picture(tmp_path: Path) -> None:
    assert refused(sound(tmp_path / "a.mp4"))[0] is Reason.NO_PICTURE


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_the_cover_of_a_sound_recording_is_no_video(tmp_path: Path, name: str) -> None:
    assert refused(sound(tmp_path / name, cover=True))[0] is Reason.NO_PICTURE


def sound(path: Path, *, cover: bool = False) -> Path:
    """Make a second of silence, perhaps with the picture of its cover."""
    with av.open(str(path), "w") as container:
        audio = silence(container, path.suffix, 1.0)
        jpeg = cv2.imencode(".jpg", blocks(5))[1].tobytes()
        if cover and path.suffix == ".mkv":
            container.add_attachment("cover.jpg", "image/jpeg", jpeg)
        elif cover:
            picture: Any = container.add_stream("mjpeg", rate=1)
            picture.width, picture.height, picture.pix_fmt = 160, 90, "yuvj420p"
            picture.disposition = Disposition.attached_pic
            packet = av.Packet(jpeg)
            packet.stream, packet.pts, packet.dts, packet.is_keyframe = picture, 0, 0, True
            container.mux(packet)
        container.mux(audio)
    return path


def test_a_codec_that_nobody_knows_is_named_so(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", frames=3)
    patch(path, b"V_MPEG4/ISO/AVC", 0, b"V_MPEG9/ISO/XYZ")
    assert refused(path) == (Reason.CODEC, "unknown")


def test_more_pixels_than_allowed_are_refused(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=3)
    limits = FileLimits(max_photo_pixels=160 * 90 - 1, _env_file=None)
    assert refused(path, limits) == (Reason.TOO_MANY_PIXELS, "160x90")
    with open_video(path, FileLimits(max_photo_pixels=160 * 90, _env_file=None)) as reel:
        assert reel.stream.width == 160


def test_a_gigantic_canvas_is_refused_by_what_the_header_says(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", "ffv1", frames=3, size=(320, 320))
    patch(path, b"\xb0\x82\x01\x40\xba\x82\x01\x40", 0, b"\xb0\x82\x2e\xe0\xba\x82\x2e\xe0")
    assert refused(path) == (Reason.TOO_MANY_PIXELS, "12000x12000")
    long = clip(tmp_path / "a.mov", "mjpeg", frames=1, size=(20_016, 16), pixels="yuvj420p")
    assert refused(long) == (Reason.TOO_MANY_PIXELS, "20016x16")


def test_a_file_whose_index_is_missing_is_damaged(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:-300])
    assert refused(path)[0] is Reason.DAMAGED


@pytest.mark.parametrize(
    ("name", "codec", "how", "ordered"),
    [
        ("a.mp4", "libx264", {}, False),
        ("a.avi", "libx264", {}, True),
        ("a.avi", "libx264", {"bf": "0"}, True),
        ("a.avi", "mpeg4", {"bf": "2"}, False),
        ("a.avi", "mpeg4", {}, False),
        ("a.mkv", "libx264", {"start": 3.2}, False),
    ],
)
def test_the_first_picture_is_at_no_time(
    tmp_path: Path, name: str, codec: str, how: dict[str, Any], ordered: bool
) -> None:
    with open_video(clip(tmp_path / name, codec, frames=9, **how), LIMITS) as reel:
        assert reel.only_order_is_known is ordered
        times = [reel.time_of_packet(packet) for packet in reel.container.demux(reel.stream)]
    at = sorted(at for at in times if at is not None)
    assert at == pytest.approx([number / 25 for number in range(9)], abs=1e-6)


def test_a_seek_leads_to_the_key_frame_before(tmp_path: Path) -> None:
    with open_video(clip(tmp_path / "a.mp4", gop=10, start=2.0, bf="0"), LIMITS) as reel:
        for seconds, key in ((1.3, 1.2), (0.0, 0.0), (0.41, 0.4)):
            reel.seek(seconds)
            packet = next(reel.container.demux(reel.stream))
            assert reel.time_of_packet(packet) == pytest.approx(key)


APPLE = {
    "com.apple.quicktime.creationdate": "2024-05-06T07:08:09+0200",
    "com.apple.quicktime.location.ISO6709": "+48.8577+002.2950+035.1/",
    "com.apple.quicktime.make": "Acme",
    "com.apple.quicktime.model": "Phone 15",
    "creation_time": "2024-05-06T05:08:09Z",
}
PLAIN = {"creation_time": "2023-01-02T03:04:05Z", "location": "-33.8568+151.2153/"}
NOTHING = {"taken": "", "latitude": None, "longitude": None, "camera": ""}


def test_a_phone_tells_local_time_place_and_make(tmp_path: Path) -> None:
    assert tags(clip(tmp_path / "a.mov", tags=APPLE, movflags="use_metadata_tags")) == {
        "taken": "2024-05-06T07:08:09+02:00",
        "latitude": 48.8577,
        "longitude": 2.295,
        "camera": "Acme Phone 15",
    }


def test_a_container_tells_time_and_place(tmp_path: Path) -> None:
    facts_expected = {
        "taken": "2023-01-02T03:04:05+00:00",
        "latitude": -33.8568,
        "longitude": 151.2153,
    }
    assert tags(clip(tmp_path / "a.mp4", tags=PLAIN)) == {**NOTHING, **facts_expected}
    named = {**PLAIN, "MAKE": "Acme", "MODEL": "Dash 2"}
    assert tags(clip(tmp_path / "a.mkv", tags=named)) == {**facts_expected, "camera": "Acme Dash 2"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("creation_time", "1970-01-01T00:00:00Z"),
        ("creation_time", "yesterday"),
        ("date", "2" * 100_000),
        ("location", "+95.0000+000.0000/"),
        ("location", "+10.0000+190.0000/"),
        ("location", "+4851.46+00217.70/"),
        ("location", "+" * 100_000),
        ("make", "\x07\x1b\u202e\n"),
    ],
)
def test_a_wrong_tag_tells_nothing(tmp_path: Path, name: str, value: str) -> None:
    assert tags(clip(tmp_path / "a.mkv", frames=2, tags={name: value})) == NOTHING


def test_a_date_is_not_given_a_time(tmp_path: Path) -> None:
    assert tags(clip(tmp_path / "a.mkv", frames=2, tags={"date": "2023-01-02"})) == {
        **NOTHING,
        "taken": "2023-01-02",
    }


def test_a_long_name_of_a_camera_is_cut_and_made_plain(tmp_path: Path) -> None:
    named = {"make": "A\x1b[31m \u202e b" * 5_000, "model": "C"}
    camera = tags(clip(tmp_path / "a.mkv", frames=2, tags=named))["camera"]
    assert camera.startswith("A[31m bA[31m b")
    assert len(camera) == MAX_TAG


def test_pixels_that_are_not_square_are_told(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", frames=2)
    with open_video(path, LIMITS) as reel:
        assert reel.aspect == 1.0
    anamorphic = clip(tmp_path / "b.mp4", frames=2, aspect="4:3")
    with open_video(anamorphic, LIMITS) as reel:
        assert reel.aspect == pytest.approx(4 / 3)
