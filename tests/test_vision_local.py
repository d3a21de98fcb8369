"""Reading real pictures on this machine, in a process of its own."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import cv2
import pytest
import pytest_asyncio

from adapters.vision.local import LocalReader, read_lines, reading_order
from adapters.vision.settings import VisionSettings
from bot.problems import FileProblem, Reason
from bot.settings import Limits
from bot.vision import Sighting, TextLine, Vision

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MEDIA = Path(__file__).parent / "media"


def jpeg(name: str, scale: float = 1) -> bytes:
    """Make a picture of the test media as a model gets it."""
    image = cv2.imread(str(MEDIA / name))
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return bytes(cv2.imencode(".jpg", image)[1])


def words(sighting: Sighting) -> list[str]:
    return [line.text for line in sighting.lines]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader() -> AsyncIterator[Vision]:
    """One reader for all tests of this file: its engine takes seconds to load."""
    reader = LocalReader(Limits(_env_file=None), VisionSettings(_env_file=None))
    yield reader
    await reader.close()


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("passat_cc.webp", ["Passat", "CC"]),
        (
            "notice_double_parking.jpg",
            ["NOTICE", "DOUBLE", "PARKING", "PROHIBITED", "AT ALL TIMES"],
        ),
        ("copy_centre.jpg", ["the", "copy", "centre"]),
    ],
)
async def test_real_photos_are_read(reader: Vision, name: str, lines: list[str]) -> None:
    read = words(await reader.look(jpeg(name)))
    assert sorted(set(lines) & set(read)) == sorted(lines)


async def test_lines_come_in_reading_order_and_stand_where_they_are(reader: Vision) -> None:
    sighting = await reader.look(jpeg("notice_double_parking.jpg"))
    read = words(sighting)
    notice = ["NOTICE", "DOUBLE", "PARKING", "PROHIBITED", "AT ALL TIMES"]
    assert [word for word in read if word in notice] == notice
    for line in sighting.lines:
        assert len(line.polygon) == 4
        assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in line.polygon)
        (left, top), _, (right, bottom), _ = line.polygon
        assert left < right
        assert top < bottom


async def test_a_plate_is_read_nearly_and_with_its_score(reader: Vision) -> None:
    sighting = await reader.look(jpeg("plate_KRW301.png"))
    assert [line.text[:2] + line.text[-3:] for line in sighting.lines] == ["KR301"]
    assert all(0.6 <= line.confidence <= 1 for line in sighting.lines)
    assert sighting.engine.startswith("rapidocr 3.")


async def test_the_polygons_of_a_large_photo_are_those_of_a_small_one(reader: Vision) -> None:
    small = await reader.look(jpeg("sign_sports_centre.jpg"))
    large = await reader.look(jpeg("sign_sports_centre.jpg", 2))
    places = [
        next(line.polygon for line in seen.lines if line.text == "Sports Centre")
        for seen in (small, large)
    ]
    for one, other in zip(*places, strict=True):
        assert one == pytest.approx(other, abs=0.02)


async def test_a_picture_without_text_has_no_lines(reader: Vision) -> None:
    blank = cv2.imencode(".jpg", cv2.blur(cv2.imread(str(MEDIA / "passat_cc.webp")), (99, 99)))
    assert words(await reader.look(bytes(blank[1]))) == []


async def test_bytes_that_are_no_picture_are_a_file_problem(reader: Vision) -> None:
    with pytest.raises(FileProblem) as caught:
        await reader.look(b"\xff\xd8\xff\xe0 not a picture")
    assert caught.value.reason is Reason.DAMAGED


async def test_a_cancelled_reading_leaves_the_reader_usable(reader: Vision) -> None:
    reading = asyncio.create_task(reader.look(jpeg("copy_centre.jpg")))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert words(await reader.look(jpeg("passat_cc.webp")))


async def test_a_slow_reading_is_given_up() -> None:
    settings = VisionSettings(seconds=0.01, _env_file=None)
    reader = LocalReader(Limits(_env_file=None), settings)
    try:
        with pytest.raises(FileProblem) as caught:
            await reader.look(jpeg("passat_cc.webp"))
    finally:
        await reader.close()
    assert caught.value.reason is Reason.TOO_SLOW


async def test_doubtful_lines_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    box = [[10, 10], [90, 10], [90, 30], [10, 30]]
    read = SimpleNamespace(boxes=[box, box], txts=("sure", "unsure"), scores=(0.9, 0.59))
    monkeypatch.setattr("adapters.vision.local._engine", lambda: lambda _image: read)
    lines = read_lines(jpeg("passat_cc.webp"), 1280, 0.6)
    assert [line.text for line in lines] == ["sure"]


async def test_the_engine_is_not_loaded_into_the_bot() -> None:
    """Importing the reader costs the serving process nothing."""
    script = "import sys, adapters.vision.local; print('rapidocr' in sys.modules)"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out.strip() == b"False"


def at(text: str, left: float, top: float, lean: float = 0) -> TextLine:
    right, bottom = left + 0.2, top + 0.1
    corners = ((left, top), (right, top + lean), (right, bottom + lean), (left, bottom))
    return TextLine(text, corners, 1.0)


async def test_rows_are_read_from_the_left_though_they_are_not_level() -> None:
    lines = [at("d", 0.5, 0.30), at("b", 0.5, 0.10), at("a", 0.1, 0.13), at("c", 0.1, 0.32)]
    assert [line.text for line in reading_order(lines)] == ["a", "b", "c", "d"]


async def test_leaning_rows_are_told_apart() -> None:
    lines = [at("second", 0.10, 0.16, lean=0.1), at("first", 0.12, 0.10, lean=0.1)]
    assert [line.text for line in reading_order(lines)] == ["first", "second"]
