"""Seeing real pictures on this machine, in a process of its own."""

from __future__ import annotations

import asyncio
import pickle
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import pytest_asyncio
from PIL import Image, ImageDraw, ImageFont
from pydantic import SecretStr

from adapters.vision.local import LocalVision
from adapters.vision.settings import VisionSettings
from bot.domain.sightings import Sighting
from bot.errors import FileProblem, Reason, VisionProblem, VisionReason
from bot.limits import FileLimits
from bot.media.photos import prepare
from tests.helpers.images import corners_image, encode_image, orientation_exif

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.ports.vision import Vision

MEDIA = Path(__file__).parents[2] / "media"


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
    patient = VisionSettings(reading_seconds=60, seconds=90, _env_file=None)
    reader = LocalVision(FileLimits(_env_file=None), patient)
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
    assert re.fullmatch(r"rapidocr 3\..+, nanodet-g", sighting.engine)


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


async def test_things_are_seen_where_they_are(reader: Vision) -> None:
    sighting = await reader.look(jpeg("notice_double_parking.jpg"))
    [car] = [thing for thing in sighting.things if thing.label == "car"]
    (left, top), _, (right, bottom), _ = car.polygon
    assert (left, top, right, bottom) == pytest.approx((0.5, 0.71, 0.87, 0.96), abs=0.03)
    assert car.confidence > 0.6


def small_text(path: Path) -> tuple[float, float]:
    """Write a photo of 12 megapixels, stored sideways, with a small grey plate.

    Returns where the middle of the plate is in the upright picture.
    """
    photo = Image.open(MEDIA / "fruits.jpg").resize((4032, 3024))
    font = ImageFont.load_default(17)
    patch = Image.new("RGB", (140, 30), (165, 165, 165))
    ImageDraw.Draw(patch).text((20, 5), "KX42 BRT", (115, 115, 115), font)
    photo.paste(patch, (2500, 1700))
    grain = np.random.default_rng(1).normal(0, 3, (3024, 4032, 1))
    pixels = np.clip(np.asarray(photo) + grain, 0, 255).astype(np.uint8)
    stored = Image.fromarray(pixels).transpose(Image.Transpose.ROTATE_90)
    stored.save(path, "JPEG", quality=90, exif=orientation_exif(6))
    return 2570 / 4032, 1715 / 3024


async def test_small_text_is_read_in_the_original(reader: Vision, tmp_path: Path) -> None:
    original = tmp_path / "photo"
    x, y = small_text(original)
    shown = prepare(original, FileLimits(_env_file=None)).jpeg
    assert "KX42BRT" not in "".join(words(await reader.look(shown))).replace(" ", "")
    sighting = await reader.look(shown, original)
    [plate] = [line for line in sighting.lines if line.text.replace(" ", "") == "KX42BRT"]
    middle = (sum(x for x, _ in plate.polygon) / 4, sum(y for _, y in plate.polygon) / 4)
    assert middle == pytest.approx((x, y), abs=0.01)


@pytest.mark.parametrize("broken", ["decompression_bomb.gif", "broken.png", "nothing there"])
async def test_an_original_that_cannot_be_opened_leaves_the_picture(
    reader: Vision, broken: str
) -> None:
    assert words(await reader.look(jpeg("passat_cc.webp"), MEDIA / broken)) == ["Passat", "CC"]


async def test_a_crash_over_the_original_leaves_the_picture(tmp_path: Path) -> None:
    original = tmp_path / "photo"
    original.write_bytes(encode_image(corners_image()))
    reader = LocalVision(FileLimits(_env_file=None), VisionSettings(_env_file=None))
    calls = Calls([FileProblem(Reason.CRASHED), Sighting(engine="fine")])
    reader._children = calls  # type: ignore[assignment]
    assert (await reader.look(b"jpeg", original)).engine == "fine"
    assert [original for _, original, *_ in calls.made] == [original, None]


class Calls:
    """In place of child processes: returns or raises what it was given, call by call."""

    def __init__(self, outcomes: list[Any]) -> None:
        self.outcomes = outcomes
        self.made: list[tuple[Any, ...]] = []
        self.gate: asyncio.Event | None = None

    async def run(self, _: Any, *arguments: Any, seconds: float) -> Any:
        self.made.append(arguments)
        if self.gate is not None:
            await self.gate.wait()
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def test_pictures_wait_in_turn() -> None:
    reader = LocalVision(FileLimits(_env_file=None), VisionSettings(_env_file=None))
    calls = Calls([Sighting(engine=str(number)) for number in range(3)])
    calls.gate = asyncio.Event()
    reader._children = calls  # type: ignore[assignment]
    looks = [asyncio.create_task(reader.look(b"%d" % number)) for number in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [jpeg for jpeg, *_ in calls.made] == [b"0"]
    calls.gate.set()
    assert [seen.engine for seen in await asyncio.gather(*looks)] == ["0", "1", "2"]


async def test_a_picture_whose_turn_does_not_come_is_given_up() -> None:
    settings = VisionSettings(wait_seconds=0.02, _env_file=None)
    reader = LocalVision(FileLimits(_env_file=None), settings)
    calls = Calls([Sighting(), Sighting()])
    calls.gate = asyncio.Event()
    reader._children = calls  # type: ignore[assignment]
    first = asyncio.create_task(reader.look(b"first"))
    await asyncio.sleep(0)
    with pytest.raises(VisionProblem) as caught:
        await reader.look(b"second")
    assert caught.value.reason is VisionReason.BUSY
    calls.gate.set()
    await first
    await reader.look(b"third")


async def test_the_secret_of_the_other_engine_stays_with_the_bot() -> None:
    settings = VisionSettings(key=SecretStr("very-secret"), _env_file=None)
    reader = LocalVision(FileLimits(_env_file=None), settings)
    calls = Calls([Sighting()])
    reader._children = calls  # type: ignore[assignment]
    await reader.look(b"")
    assert b"very-secret" not in pickle.dumps(calls.made)


async def test_the_check_looks(reader: Vision) -> None:
    told = await reader.check()
    assert re.fullmatch(r"Pictures are looked at by rapidocr .+, nanodet-g on this machine\.", told)


async def test_a_slow_reading_is_given_up() -> None:
    settings = VisionSettings(seconds=0.01, _env_file=None)
    reader = LocalVision(FileLimits(_env_file=None), settings)
    try:
        with pytest.raises(FileProblem) as caught:
            await reader.look(jpeg("passat_cc.webp"))
    finally:
        await reader.close()
    assert caught.value.reason is Reason.TOO_SLOW


async def test_the_engine_is_not_loaded_into_the_bot() -> None:
    """Importing the reader costs the serving process nothing."""
    script = (
        "import sys, adapters.vision.local; print({'rapidocr', 'onnxruntime'} & {*sys.modules})"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out.strip() == b"set()"
