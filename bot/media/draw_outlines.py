"""Outlines with numbers, drawn on a copy of a picture; runs in a child process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bot.errors import FileProblem, Reason
from bot.media.label_placement import Corners, Rectangle, nearest_point, place_labels
from bot.media.pixels import QUALITY, decode_own, encode, shrink

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from bot.domain.outlines import Outline
    from bot.media.pixels import Pixels

PICTURE_SIDE = 1024
"""Longest side of a picture that is sent, in pixels."""

PICTURE_BYTES = 1_000_000

SMALL_PICTURE_BYTES = 60_000
"""Most bytes of a picture, and of the smaller copy for chats that refuse the first.

Teams takes 1 MB and 1024 x 1024:
https://learn.microsoft.com/microsoftteams/platform/bots/build-conversational-capability
In base64, 60 KB stay below the 100 KB that connectors on a developer's machine take.
"""

Colour = tuple[int, int, int]
"""Blue, green and red."""

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
HUES: tuple[Colour, ...] = (
    (0, 159, 230),
    (233, 180, 86),
    (115, 158, 0),
    (66, 228, 240),
    (178, 114, 0),
    (0, 94, 213),
    (167, 121, 204),
)
"""Orange, sky blue, bluish green, yellow, blue, vermillion, reddish purple: colours that people
with any kind of colour vision tell apart (Okabe and Ito, https://jfly.uni-koeln.de/color/)."""

MIN_ENLARGED_SIDE = 512
"""A smaller picture is enlarged to this long side, or its numbers would hide it."""
UNIT_SHARE = 512
LIGHT, HUE, DARK = 1, 3, 4
"""How far the lines of an outline reach from what they surround, in units of a `UNIT_SHARE`th of
the long side: white, coloured, black, so that one of them stands out on any background."""
LABEL_SHARE = 22
"""A label is this part of the long side: digits of 10 points on a picture of a phone's width."""
FONT = cv2.FONT_HERSHEY_SIMPLEX
QUALITIES = (QUALITY, 75, 60, 45)
STEP = 0.85
"""Factor by which the picture shrinks, again and again, if no quality makes it small enough."""
MIN_SIDE = 64


@dataclass(frozen=True, slots=True)
class OutlinedPicture:
    """A JPEG of `width` x `height` pixels, with outlines on it."""

    jpeg: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class OutlineLayout:
    """The layout of outlines on a picture of a certain size, in pixels.

    `targets` and `labels` belong to the outlines, in their order; `unit` is the width of the
    thinnest line.
    """

    targets: tuple[Corners, ...]
    labels: tuple[Rectangle, ...]
    unit: float


def draw(
    jpeg: bytes,
    outlines: Sequence[Outline],
    side: int = PICTURE_SIDE,
    max_bytes: int = PICTURE_BYTES,
) -> OutlinedPicture:
    """Draw outlines on a copy of an upright JPEG of our own.

    The copy is at most `side` pixels long and `max_bytes` large: if needed, of a lower quality,
    then smaller. Outlines surround what they mark and leave it clear, except at the picture's
    edges. Raises `FileProblem` (`DAMAGED`), and `ValueError` where not even a thumbnail fits.
    """
    photo = decode_own(jpeg)
    if photo is None:
        raise FileProblem(Reason.DAMAGED)

    def draw_copy(longest: float) -> Pixels:
        height, width = photo.shape[:2]
        scale = longest / max(height, width)
        picture = resize(photo, (round(width * scale), round(height * scale)))
        draw_on(picture, outlines)
        return picture

    return encode_within(draw_copy, min(side, max(*photo.shape[:2], MIN_ENLARGED_SIDE)), max_bytes)


def encode_within(
    draw_picture: Callable[[float], Pixels], longest: float, max_bytes: int
) -> OutlinedPicture:
    """Encode a picture, drawn `longest` pixels long or shorter, as a JPEG of at most `max_bytes`.

    Raises `ValueError` where not even a thumbnail fits.
    """
    while longest >= MIN_SIDE:
        picture = draw_picture(longest)
        for quality in QUALITIES:
            jpeg = encode(picture, quality)
            if len(jpeg) <= max_bytes:
                return OutlinedPicture(jpeg, picture.shape[1], picture.shape[0])
        longest *= STEP
    raise ValueError(f"no picture fits in {max_bytes} bytes")


def resize(photo: Pixels, size: tuple[int, int]) -> Pixels:
    """Return a copy of a photo at another width and height, at least a pixel each."""
    size = max(1, size[0]), max(1, size[1])
    if size[0] <= photo.shape[1] and size[1] <= photo.shape[0]:
        return shrink(photo, size).copy()
    larger: Pixels = cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC)
    return larger


def lay_out(
    outlines: Sequence[Outline], width: int, height: int, longest: int = 0
) -> OutlineLayout:
    """Return where outlines and their labels go on a picture of that size.

    Their lines and labels are those of a picture that is `longest` pixels long, if it is longer.
    """
    longest = max(width, height, longest)
    unit = max(1.0, longest / UNIT_SHARE)
    targets = [_target(outline, width, height, unit * DARK) for outline in outlines]
    sizes = [_label_size(outline, longest, unit) for outline in outlines]
    # A label has a light and a dark line of its own, and touches the outline.
    spots = place_labels(targets, sizes, (width, height), gap=unit * DARK)
    return OutlineLayout(tuple(targets), tuple(spots), unit)


def _target(outline: Outline, width: int, height: int, margin: float) -> Corners:
    """Return a polygon in pixels, so far from the picture's edge that its outline is visible."""
    points = np.array(outline.polygon, np.float32) * np.array((width, height), np.float32)
    most = np.maximum((width - 1 - margin, height - 1 - margin), margin)
    target: Corners = np.clip(points, margin, most).astype(np.float32)
    return target


def _label_size(outline: Outline, longest: int, unit: float) -> tuple[float, float]:
    height = max(longest / LABEL_SHARE, 12) + 2 * unit
    return height * (1.0 if outline.number < 10 else 1.5), height


def draw_on(picture: Pixels, outlines: Sequence[Outline], longest: int = 0) -> None:
    """Draw outlines on a picture, with the lines and labels of one that is `longest` pixels long.

    The large ones are drawn first, so that they cover no small ones, then leaders and labels.
    """
    layout = lay_out(outlines, picture.shape[1], picture.shape[0], longest)
    hues = [HUES[(outline.number - 1) % len(HUES)] for outline in outlines]
    order = sorted(range(len(outlines)), key=lambda at: -cv2.contourArea(layout.targets[at]))
    for at in order:
        rings = [(LIGHT, WHITE), (HUE, hues[at]), (DARK, BLACK)]
        _surround(picture, layout.targets[at], [(far * layout.unit, ink) for far, ink in rings])
    for at in order:
        _lead(picture, layout.targets[at], layout.labels[at], hues[at], layout.unit)
    for at in order:
        _label(picture, layout.labels[at], outlines[at].number, hues[at], layout.unit)


def _surround(picture: Pixels, target: Corners, rings: Sequence[tuple[float, Colour]]) -> None:
    """Draw lines around a polygon, each from the one before it to a distance in pixels."""
    margin = int(rings[-1][0]) + 2
    left, top = np.maximum(np.floor(target.min(axis=0)).astype(int) - margin, 0)
    right, bottom = np.ceil(target.max(axis=0)).astype(int) + margin + 1
    part = picture[top:bottom, left:right]
    outside = np.full(part.shape[:2], 255, np.uint8)
    cv2.fillPoly(outside, [np.round(target - (left, top)).astype(np.int32)], 0)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    painting = part.astype(np.float32)
    for far, ink in reversed(rings):
        cover = np.clip(far + 0.5 - distance, 0, 1)[..., None]
        painting += (np.array(ink, np.float32) - painting) * cover
    part[distance > 0] = np.round(painting).astype(np.uint8)[distance > 0]


def _lead(picture: Pixels, target: Corners, label: Rectangle, hue: Colour, unit: float) -> None:
    """Draw a line from a label that does not touch its outline to it."""
    start = np.array(label.centre)
    way = np.array(nearest_point(target, label.centre)) - start
    apart = np.maximum(np.abs(way) - (label.width / 2, label.height / 2), 0)
    if np.hypot(*apart) < 2 * DARK * unit:
        return
    end = start + way * (1 - DARK * unit / np.hypot(*way))
    for width, ink in ((5, BLACK), (4, WHITE), (2, hue)):
        thick = max(1, round(width * unit))
        cv2.line(picture, _pixel(start), _pixel(end), ink, thick, cv2.LINE_AA)


def _pixel(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _label(picture: Pixels, spot: Rectangle, number: int, hue: Colour, unit: float) -> None:
    """Draw a number on its colour, with a light and a dark line around it."""
    inset = 2 * unit
    inner = Rectangle(
        spot.left + inset, spot.top + inset, spot.width - 2 * inset, spot.height - 2 * inset
    )
    area = np.round(inner.corners).astype(np.int32)
    cv2.fillPoly(picture, [area], hue)
    _surround(picture, area.astype(np.float32), [(unit, WHITE), (2 * unit, BLACK)])
    ink = BLACK if _brightness(hue) > 0.18 else WHITE
    scale = cv2.getFontScaleFromHeight(FONT, round(inner.height * 0.85))
    thick = max(1, round(inner.height / 9))
    (wide, high), _ = cv2.getTextSize(str(number), FONT, scale, thick)
    x, y = inner.centre
    start = (round(x - wide / 2), round(y + high * 0.46))
    cv2.putText(picture, str(number), start, FONT, scale, ink, thick, cv2.LINE_AA)


def _brightness(colour: Colour) -> float:
    """Return the relative luminance of a colour, 0..1 (WCAG 2.2); above 0.18 black reads better."""
    parts = np.array(colour) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.0722, 0.7152, 0.2126))
