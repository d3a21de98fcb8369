"""What an answer points at, and what people are shown of it."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from bot.channel import PICTURE_BYTES, SMALL_PICTURE_BYTES, Citation
from bot.grounding import Outline, Span
from bot.model import Picture
from bot.pointing import citations, grounded, outlined
from bot.vision import Sighting, Thing
from tests.fakes import SameProcess
from tests.pictures import detailed, encoded, opened

PLACE = ((0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6))
OUTLINES = [
    Outline(1, 1, "car", PLACE),
    Outline(2, 1, "plate KRW 301", PLACE),
    Outline(3, 2, "dog", PLACE),
]


def picture(number: int, image: Image.Image, name: str = "") -> Picture:
    jpeg = encoded(image)
    label = f"P{number} {name}".strip()
    return Picture(label, "a" * 64, jpeg, image.width, image.height, (number,))


CAR = Sighting(things=(Thing("car", PLACE, 0.9),))


def test_the_outlines_of_the_model_come_before_all_else() -> None:
    said = [Span("car", 2, 3, PLACE, 1)]
    found = grounded("A car [1].", OUTLINES, said, {1: CAR})
    assert found.outlines == tuple(OUTLINES)
    assert [(span.text, span.number) for span in found.spans] == [("car", 1)]


def test_what_the_service_says_comes_before_what_was_seen() -> None:
    found = grounded("A car.", (), [Span("A", 0, 1, PLACE, 1)], {1: CAR})
    assert [outline.label for outline in found.outlines] == ["A"]


def test_numbers_that_the_answer_has_already_are_not_used_again() -> None:
    found = grounded("A car, see [2] and [1].", (), (), {1: CAR})
    assert [outline.number for outline in found.outlines] == [3]


def test_citations_name_the_photo() -> None:
    assert citations(OUTLINES, {1: "P1 a.heic"}) == (
        Citation(1, "car", "Outlined on P1 a.heic."),
        Citation(2, "plate KRW 301", "Outlined on P1 a.heic."),
        Citation(3, "dog", "Outlined on P2."),
    )


@pytest.mark.parametrize(
    ("image", "same"), [(Image.new("RGB", (640, 480), "grey"), True), (detailed(2048, 1536), False)]
)
async def test_a_photo_is_shown_with_the_outlines_that_are_its_own(
    image: Image.Image, same: bool
) -> None:
    children: Any = SameProcess()
    photo = picture(1, image, "a.jpg")
    shown = await outlined(children, photo, OUTLINES)
    assert (shown.name, shown.photo) == ("P1 a.jpg", photo.jpeg)
    assert shown.alt == "P1 a.jpg with outlines: 1 car, 2 plate KRW 301."
    assert [outline.number for outline in shown.outlines] == [1, 2]
    assert len(shown.jpeg) <= PICTURE_BYTES
    assert len(shown.small) <= SMALL_PICTURE_BYTES
    assert (shown.small == shown.jpeg) is same
    assert max(opened(shown.jpeg).size) <= 1024
