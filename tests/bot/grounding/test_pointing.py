"""What an answer points at, and what people are shown of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from bot.domain.frame_ids import frame_number, label
from bot.domain.outlines import Outline, Span
from bot.domain.sightings import DetectedObject, Sighting
from bot.grounding.drawing import draw_outlined, sheet_of_frames
from bot.grounding.pointing import citations, ground
from bot.media.draw_outlines import PICTURE_BYTES, SMALL_PICTURE_BYTES
from bot.ports.channel import Citation
from bot.ports.model import Picture
from tests.helpers.fakes import InProcessSandbox
from tests.helpers.images import detailed_image, encode_image, open_jpeg

PLACE = ((0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6))
OUTLINES = [
    Outline(1, 1, "car", PLACE),
    Outline(2, 1, "plate KRW 301", PLACE),
    Outline(3, 2, "dog", PLACE),
]


def picture(number: int, image: Image.Image, name: str = "") -> Picture:
    jpeg = encode_image(image)
    label = f"P{number} {name}".strip()
    return Picture(label, "a" * 64, jpeg, image.width, image.height, (number,))


CAR = Sighting(things=(DetectedObject("car", PLACE, 0.9),))


def test_the_outlines_of_the_model_come_before_all_else() -> None:
    said = [Span("car", 2, 3, PLACE, 1)]
    found = ground("A car [1].", OUTLINES, said, {1: CAR})
    assert found.outlines == tuple(OUTLINES)
    assert [(span.text, span.number) for span in found.spans] == [("car", 1)]


def test_a_service_that_points_at_nothing_is_believed() -> None:
    assert ground("A car.", (), (), {1: CAR}).outlines == ()


def test_what_the_service_says_comes_before_what_was_seen() -> None:
    found = ground("A car.", (), [Span("A", 0, 1, PLACE, 1)], {1: CAR})
    assert [outline.label for outline in found.outlines] == ["A"]


def test_numbers_that_the_answer_has_already_are_not_used_again() -> None:
    found = ground("A car, see [2] and [1].", (), None, {1: CAR})
    assert [outline.number for outline in found.outlines] == [3]


def test_citations_name_the_photo() -> None:
    assert citations(OUTLINES, {1: "P1 a.heic"}) == (
        Citation(1, "car", "Outlined on P1 a.heic."),
        Citation(2, "plate KRW 301", "Outlined on P1 a.heic."),
        Citation(3, "dog", "Outlined on P2."),
    )
    late = Outline(1, frame_number(1, 12.4), "car", PLACE)
    assert citations([late], {}) == (Citation(1, "car", "Outlined on V1 0:12.4."),)


@pytest.mark.parametrize(
    ("image", "same"),
    [(Image.new("RGB", (640, 480), "grey"), True), (detailed_image(2048, 1536), False)],
)
async def test_a_photo_is_shown_with_the_outlines_that_are_its_own(
    image: Image.Image, same: bool
) -> None:
    children: Any = InProcessSandbox()
    photo = picture(1, image, "a.jpg")
    shown = await draw_outlined(children, photo, OUTLINES)
    assert (shown.name, shown.photo) == ("P1 a.jpg", photo.jpeg)
    assert shown.alt == "P1 a.jpg with outlines: 1 car, 2 plate KRW 301."
    assert [outline.number for outline in shown.outlines] == [1, 2]
    assert len(shown.jpeg) <= PICTURE_BYTES
    assert len(shown.small) <= SMALL_PICTURE_BYTES
    assert (shown.small == shown.jpeg) is same
    assert max(open_jpeg(shown.jpeg).size) <= 1024


def frames(*seconds: float, size: tuple[int, int] = (320, 180)) -> list[Picture]:
    numbers = [frame_number(1, each) for each in seconds]
    image = Image.new("RGB", size, "grey")
    return [
        Picture(label(number), "a" * 64, encode_image(image), *size, (number,))
        for number in numbers
    ]


async def test_frames_are_shown_on_a_sheet_in_the_order_of_their_times() -> None:
    children: Any = InProcessSandbox()
    crash, plate = (
        Outline(number, frame_number(1, 12.4), name, PLACE)
        for number, name in ((1, "crash"), (2, "plate"))
    )
    other = Outline(3, frame_number(2, 12.4), "of another video", PLACE)
    late, early = pictures = frames(12.4, 3.2)
    shown = await sheet_of_frames(children, pictures, [crash, other, plate], "V1 crash.mp4")
    assert shown.name == "V1 crash.mp4"
    assert shown.alt == (
        "Frames of V1 crash.mp4 at 0:03.2, 0:12.4 with outlines: 1 crash, 2 plate."
    )
    assert (shown.photo, shown.outlines) == (shown.jpeg, ())
    assert [frame.name for frame in shown.frames] == ["V1 0:03.2", "V1 0:12.4"]
    assert [frame.jpeg for frame in shown.frames] == [early.jpeg, late.jpeg]
    assert [frame.outlines for frame in shown.frames] == [(), (crash, plate)]
    assert [frame.alt for frame in shown.frames] == [
        "Frame of V1 crash.mp4 at 0:03.2.",
        "Frame of V1 crash.mp4 at 0:12.4 with outlines: 1 crash, 2 plate.",
    ]
    assert max(open_jpeg(shown.jpeg).size) <= 1024


async def test_a_sheet_of_many_frames_has_a_smaller_copy() -> None:
    children: Any = InProcessSandbox()
    jpeg = encode_image(detailed_image(1280, 704))
    pictures = [replace(each, jpeg=jpeg) for each in frames(*range(10))]
    shown = await sheet_of_frames(children, pictures, ())
    assert (shown.name, len(shown.frames)) == ("V1", 10)
    assert len(shown.small) <= SMALL_PICTURE_BYTES < len(shown.jpeg) <= PICTURE_BYTES
