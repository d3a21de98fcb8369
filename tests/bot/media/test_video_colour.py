from __future__ import annotations

import struct
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from bot.media.tone_mapping import HLG, PEAKS, PQ, WHITE
from bot.media.video_colour import to_pixels

MEDIA = Path(__file__).parents[2] / "media"
COLOURS = [
    *((118, 118, 118), (235, 235, 235), (150, 110, 90), (40, 40, 40)),
    *((200, 60, 60), (60, 160, 60), (60, 60, 180), (16, 16, 16)),
]
"""Red, green and blue of patches: mid-grey, paper, skin, shadow, three colours, near black."""
PATCH = 32
FROM_709 = np.linalg.inv(
    np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
)


def bars(colours: Any = COLOURS) -> Any:
    patches = [np.full((64, PATCH, 3), colour) for colour in colours]
    return np.concatenate(patches, axis=1)


def middles(pixels: Any, count: int = len(COLOURS)) -> Any:
    """The colours of the patches, red first."""
    row, wide = pixels[pixels.shape[0] // 2], pixels.shape[1] // count
    return [tuple(int(v) for v in row[i * wide + wide // 2][::-1]) for i in range(count)]


def frame_of(rgb: Any, pixel_format: str, matrix: int, wide: ColorRange) -> av.VideoFrame:
    kind = "rgb24" if rgb.dtype == np.uint8 else "rgb48le"
    frame = av.VideoFrame.from_ndarray(rgb, format=kind).reformat(
        format=pixel_format, dst_colorspace=matrix, dst_color_range=wide
    )
    frame.colorspace, frame.color_range = matrix, wide
    return frame


def near(pixels: Any, reference: Any, within: int) -> bool:
    return bool(np.abs(np.array(pixels) - np.array(reference)).max() <= within)


@pytest.mark.parametrize("matrix", [1, 5, 9])
@pytest.mark.parametrize("wide", [ColorRange.MPEG, ColorRange.JPEG])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
def test_colours_are_right_in_each_matrix_range_and_depth(
    matrix: int, wide: ColorRange, pixel_format: str
) -> None:
    frame = frame_of(bars().astype(np.uint8), pixel_format, matrix, wide)
    assert near(middles(to_pixels(frame, 4000)), COLOURS, 4)


@pytest.mark.parametrize(
    ("size", "matrix"), [((256, 64), 5), ((1024, 576), 5), ((1280, 544), 1), ((256, 1080), 1)]
)
def test_a_video_without_a_matrix_has_that_of_its_size(size: tuple[int, int], matrix: int) -> None:
    rgb = cv2.resize(bars().astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    frame = frame_of(rgb, "yuv444p", matrix, ColorRange.MPEG)
    frame.colorspace = 2
    assert near(middles(to_pixels(frame, 4000)), COLOURS, 4)


def light(rgb: Any) -> Any:
    """The light of sRGB levels in parts of white, by the primaries of BT.2020."""
    level = rgb / 255
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return linear @ FROM_709.T


def pq(nits: Any) -> Any:
    """ITU-R BT.2100, table 4, from light to signal."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    y = (np.maximum(nits, 0) / 10_000) ** m1
    return ((c1 + c2 * y) / (1 + c3 * y)) ** m2


def hlg(nits: Any) -> Any:
    """ITU-R BT.2100, table 5, from the light of a screen of 1000 nits to signal."""
    luma = np.maximum(nits @ np.array([0.2627, 0.6780, 0.0593]), 1e-9) / PEAKS[HLG]
    scene = np.maximum(nits / PEAKS[HLG], 0) / luma[..., None] ** (0.2 / 1.2)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    bright = a * np.log(np.maximum(12 * scene - b, 1e-9)) + c
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)


def hdr(path: Path, nits: Any, transfer: int) -> av.VideoFrame:
    """Encode a scene as HEVC of 10 bits, and decode it."""
    signal = (pq if transfer == PQ else hlg)(nits)
    rgb = (np.clip(signal, 0, 1) * 65535).astype(np.uint16)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx265", rate=25)
        stream.height, stream.width = rgb.shape[:2]
        stream.pix_fmt = "yuv420p10le"
        stream.options = {"x265-params": "log-level=none:crf=6:pools=none:frame-threads=1"}
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace = transfer, 9, 9
        context.color_range = ColorRange.MPEG
        out.mux(stream.encode(frame_of(rgb, "yuv420p10le", 9, ColorRange.MPEG)))
        out.mux(stream.encode())
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_a_scene_in_hdr_looks_as_it_does_without(tmp_path: Path, transfer: int) -> None:
    frame = hdr(tmp_path / "hdr.mkv", light(bars()) * WHITE, transfer)
    assert frame.color_trc == transfer
    assert near(middles(to_pixels(frame, 4000)), COLOURS, 5)  # paper makes room for what shines
    assert near(middles(to_pixels(frame, 4000))[2:], COLOURS[2:], 2)
    plainly = middles(frame.to_ndarray(format="bgr24"))
    assert not near(plainly, COLOURS, 20)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_highlights_stay_apart_up_to_the_peak(tmp_path: Path, transfer: int) -> None:
    peak = PEAKS[transfer]
    lights = [100, 203, *np.geomspace(300, peak, 6)]
    frame = hdr(tmp_path / "hdr.mkv", bars([(n, n, n) for n in lights]).astype(float), transfer)
    levels = [grey[0] for grey in middles(to_pixels(frame, 4000), len(lights))]
    assert all(below < above for below, above in pairwise(levels))
    assert levels[-1] >= 253


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_a_white_page_in_hdr_is_white_but_not_as_bright_as_a_lamp(
    tmp_path: Path, transfer: int
) -> None:
    frame = hdr(tmp_path / "hdr.mkv", np.full((64, 64, 3), WHITE), transfer)
    assert near(middles(to_pixels(frame, 4000), 1), (236, 236, 236), 3)


def test_hdr_without_a_matrix_has_that_of_bt2020(tmp_path: Path) -> None:
    frame = hdr(tmp_path / "hdr.mkv", light(bars()) * WHITE, HLG)
    reference = to_pixels(frame, 4000)
    frame.colorspace = 2
    assert np.array_equal(to_pixels(frame, 4000), reference)


def test_hdr_is_the_same_in_each_strip_of_rows(tmp_path: Path) -> None:
    ramp = np.linspace(0, 600, 200)[:, None, None].repeat(64, 1).repeat(3, 2)
    pixels = to_pixels(hdr(tmp_path / "hdr.mkv", ramp, HLG), 4000)
    steps = np.diff(pixels[:, 32, 1].astype(int))
    assert pixels.shape == (200, 64, 3)
    assert (steps >= 0).all()
    assert steps[20:].max() <= 4


def grey_of(wide: ColorRange) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.full((8, 8), 235, np.uint8), format="gray")
    frame.color_range = wide
    return frame


@pytest.mark.parametrize(("wide", "white"), [(ColorRange.MPEG, 255), (ColorRange.JPEG, 235)])
def test_grey_has_the_range_it_names(wide: ColorRange, white: int) -> None:
    assert to_pixels(grey_of(wide), 4000)[4, 4].tolist() == [white] * 3


def first(path: Path) -> tuple[av.VideoFrame, float]:
    with av.open(str(path)) as container:
        shape = container.streams.video[0].sample_aspect_ratio
        return next(container.decode(video=0)), float(shape or 1)


def test_a_turned_video_is_upright() -> None:
    path = MEDIA / "vtest12_rotated90.mp4"
    _, reference = cv2.VideoCapture(str(path)).read()
    assert np.array_equal(to_pixels(first(path)[0], 4000), reference)


MATRICES = {
    (0, 1, -1, 0): lambda a: cv2.rotate(a, cv2.ROTATE_90_CLOCKWISE),
    (-1, 0, 0, -1): lambda a: cv2.rotate(a, cv2.ROTATE_180),
    (0, -1, 1, 0): lambda a: cv2.rotate(a, cv2.ROTATE_90_COUNTERCLOCKWISE),
    (-1, 0, 0, 1): lambda a: cv2.flip(a, 1),
    (1, 0, 0, -1): lambda a: cv2.flip(a, 0),
}
"""Of display matrices a, b, c and d, and what they do to pixels."""


@pytest.mark.parametrize("matrix", MATRICES)
def test_each_display_matrix_is_obeyed(tmp_path: Path, matrix: tuple[int, ...]) -> None:
    data = (MEDIA / "vtest12_h264.mp4").read_bytes()
    a, b, c, d = (value << 16 for value in matrix)
    unity = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    at = data.index(b"tkhd")
    place = data.index(unity, at)
    path = tmp_path / "turned.mp4"
    shown = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data[:place] + shown + data[place + len(unity) :])
    plain = to_pixels(first(MEDIA / "vtest12_h264.mp4")[0], 4000)
    assert np.array_equal(to_pixels(first(path)[0], 4000), MATRICES[matrix](plain))


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    path = tmp_path / "wide.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2)
        out.mux(stream.encode(av.VideoFrame(160, 120, "yuv420p")))
        out.mux(stream.encode())
    frame, aspect = first(path)
    assert aspect == 2
    assert to_pixels(frame, 4000, aspect).shape == (120, 320, 3)
    assert to_pixels(frame, 160, aspect).shape == (60, 160, 3)


def test_what_is_transparent_lies_over_white() -> None:
    rgba = np.zeros((16, 16, 4), np.uint8)
    rgba[:, 8:, 3] = 255
    pixels = to_pixels(av.VideoFrame.from_ndarray(rgba, format="rgba"), 4000)
    assert pixels[8, 2].tolist() == [255, 255, 255]
    assert pixels[8, 13].tolist() == [0, 0, 0]


def test_what_is_transparent_leaves_no_dark_rim_when_shrunk() -> None:
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[:, :33] = (255, 0, 0, 255)
    pixels = to_pixels(av.VideoFrame.from_ndarray(rgba, format="rgba"), 16)
    assert pixels[8, 7].tolist() == [0, 0, 255]
    assert pixels[8, 8].tolist() == [191, 191, 255]


def test_a_transparent_colour_of_a_palette_is_white() -> None:
    palette = np.zeros((256, 4), np.uint8)
    palette[0] = (255, 10, 20, 30)  # alpha, red, green, blue
    which = np.zeros((16, 16), np.uint8)
    which[:, 8:] = 1
    pixels = to_pixels(av.VideoFrame.from_ndarray((which, palette), format="pal8"), 4000)
    assert pixels[8, 2].tolist() == [30, 20, 10]
    assert pixels[8, 13].tolist() == [255, 255, 255]


@pytest.mark.parametrize("transfer", [2, PQ, HLG])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (5, 3), (4, 1), (2, 700)])
@pytest.mark.parametrize("longest", [1, 2, 700])
def test_odd_sizes(size: tuple[int, int], longest: int, transfer: int) -> None:
    frame = av.VideoFrame.from_ndarray(np.full((*size, 3), 90, np.uint8), format="rgb24")
    frame.color_trc = transfer
    pixels = to_pixels(frame, longest)
    assert max(pixels.shape[:2]) <= max(longest, 1)
    assert len(set(pixels[0, 0].tolist())) == 1
    assert (pixels == pixels[0, 0]).all()
    if transfer == 2:
        assert pixels[0, 0].tolist() == [90, 90, 90]
