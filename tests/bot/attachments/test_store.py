"""The gallery: files become numbered photos, each that fails costs itself only."""

from __future__ import annotations

import asyncio
import hashlib
import unicodedata
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Any

import pytest
from obstore.store import MemoryStore
from PIL import Image

from adapters.blobs.store import BlobStore
from bot import strings as texts
from bot.attachments.store import AT_ONCE, AttachmentStore, blob_key, display_name
from bot.domain.boxes import GRID, Box
from bot.domain.history import ThreadHistory
from bot.domain.messages import Attachment, Author
from bot.domain.outlines import Outline
from bot.domain.question import RequestedFile
from bot.domain.threads import Thread
from bot.errors import FileProblem, Reason, StoreDown
from tests.helpers.fakes import InProcessSandbox
from tests.helpers.images import (
    MEDIA,
    corners_image,
    difference,
    encode_image,
    open_jpeg,
    orientation_exif,
)
from tests.helpers.limits import limits_of

if TYPE_CHECKING:
    from pathlib import Path

    from bot.attachments.collected_files import CollectedFiles
    from bot.domain.size_limits import SizeLimits
    from bot.ports.model import Picture

THREAD = Thread("fake", "t", "c")
ANNA = Author("a", "Anna")
CAR = encode_image(corners_image())
DOG = encode_image(corners_image(64, 96))
CAT = encode_image(corners_image(32, 32), "PNG")
OUTLINE = Outline(1, 1, "car", ((0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6)))


class Shelf:
    """Where files are fetched from: bytes, or what goes wrong."""

    def __init__(self) -> None:
        self.at_once = self.most = 0

    async def fetch(self, file: Attachment, into: Path, allowance: SizeLimits) -> bool:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0.01)
        self.at_once -= 1
        found = file.source["found"]
        if isinstance(found, Exception):
            into.write_bytes(b"half of a file")
            raise found
        into.write_bytes(found)
        return not file.source.get("smaller")

    def file(
        self, found: bytes | Exception, name: str = "a.jpg", *, smaller: bool = False, **more: Any
    ) -> RequestedFile:
        attachment = Attachment(name, source={"found": found, "smaller": smaller}, **more)
        return RequestedFile(attachment, ANNA, 7.0, "m1", self.fetch)


class Room:
    """A gallery with an empty blob store and an empty spool."""

    def __init__(self, spool: Path, **limits: Any) -> None:
        self.spool = spool
        self.blobs = BlobStore(MemoryStore())
        self.limits = limits_of(**limits)
        self.gallery = self.under(**limits)
        self.progress: list[tuple[int, int]] = []

    def under(self, **limits: Any) -> AttachmentStore:
        """The same gallery under other limits."""
        children: Any = InProcessSandbox()
        return AttachmentStore(children, self.blobs, limits_of(**limits).files, self.spool)

    async def collect(
        self, *files: RequestedFile, past: ThreadHistory | None = None
    ) -> CollectedFiles:
        return await self.gallery.collect(
            THREAD,
            files,
            past or ThreadHistory(),
            lambda done, total: self.progress.append((done, total)),
        )


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def test_photos_are_numbered_in_posted_order(room: Room, shelf: Shelf) -> None:
    found = await room.collect(shelf.file(CAR, "car.jpg"), shelf.file(DOG, "dog.jpg"))
    assert [photo.label for photo in found.photos] == ["P1 car.jpg", "P2 dog.jpg"]
    assert [photo.sha256 for photo in found.photos] == [sha256(CAR), sha256(DOG)]
    assert [picture.name for picture in found.pictures] == ["P1 car.jpg", "P2 dog.jpg"]
    assert [(picture.width, picture.height) for picture in found.pictures] == [(96, 64), (64, 96)]
    assert (found.photos[0].author, found.photos[0].at, found.photos[0].message) == (
        "Anna",
        7.0,
        "m1",
    )
    assert sorted(room.progress) == [(1, 2), (2, 2)]


async def test_numbers_go_on_and_the_same_bytes_keep_theirs(room: Room, shelf: Shelf) -> None:
    first = await room.collect(shelf.file(CAR), shelf.file(DOG))
    past = ThreadHistory(photos=first.photos)
    again = await room.collect(shelf.file(CAT), shelf.file(DOG), shelf.file(CAT), past=past)
    assert [photo.number for photo in again.photos] == [3, 2]
    assert len(again.pictures) == 2


async def test_the_original_and_the_picture_are_kept_and_the_spool_is_emptied(
    room: Room, shelf: Shelf
) -> None:
    turned_car = encode_image(corners_image(), exif=orientation_exif(6))
    found = await room.collect(shelf.file(turned_car))
    assert await room.blobs.get(blob_key(THREAD, sha256(turned_car))) == turned_car
    jpeg = await room.blobs.get(f"{blob_key(THREAD, sha256(turned_car))}.2048.jpg")
    assert jpeg == found.pictures[0].jpeg
    assert open_jpeg(found.pictures[0].jpeg).size == (64, 96)
    assert list(room.spool.iterdir()) == []


async def test_a_file_that_fails_is_named_and_the_rest_goes_on(room: Room, shelf: Shelf) -> None:
    found = await room.collect(
        shelf.file(FileProblem(Reason.EXPIRED), "gone.jpg"),
        shelf.file(b"", ""),
        shelf.file(CAR, "car.jpg"),
        shelf.file(CAR, problem=Reason.VIDEO_CLIP, name=""),
    )
    assert [photo.label for photo in found.photos] == ["P1 car.jpg"]
    assert [problem.split(" could")[0] for problem in found.problems] == [
        "`gone.jpg`",
        "File 2",
        "File 4",
    ]
    assert "has expired" in found.problems[0]
    assert "is empty" in found.problems[1]
    assert "clips recorded in Teams" in found.problems[2]
    assert len(room.progress) == 4
    assert list(room.spool.iterdir()) == []


async def test_of_a_smaller_copy_it_is_said_that_details_may_be_missing(
    room: Room, shelf: Shelf
) -> None:
    found = await room.collect(shelf.file(CAR, "car.heic", smaller=True), shelf.file(DOG))
    assert [photo.label for photo in found.photos] == ["P1 car.heic", "P2 a.jpg"]
    assert found.problems == (texts.smaller_copy("car.heic", 1),)


async def test_more_files_than_the_limit_are_not_even_fetched(tmp_path: Path, shelf: Shelf) -> None:
    room = Room(tmp_path, max_files=2)
    found = await room.collect(*(shelf.file(data) for data in (CAR, DOG, CAT)))
    assert len(found.photos) == 2
    problem = texts.file_problem("", 0, FileProblem(Reason.TOO_MANY), room.limits.files)
    assert found.problems == (problem,)


async def test_few_files_are_fetched_side_by_side(room: Room, shelf: Shelf) -> None:
    await room.collect(*(shelf.file(CAR) for _ in range(3 * AT_ONCE)))
    assert shelf.most == AT_ONCE


async def test_a_store_that_is_away_is_no_problem_of_the_file(room: Room, shelf: Shelf) -> None:
    with pytest.raises(StoreDown):
        await room.collect(shelf.file(StoreDown("away")))
    assert list(room.spool.iterdir()) == []


async def test_earlier_photos_are_brought_back(room: Room, shelf: Shelf) -> None:
    found = await room.collect(shelf.file(CAR, "car.jpg"), shelf.file(DOG))
    assert await room.gallery.recall(THREAD, found.photos) == dict(
        zip((1, 2), found.pictures, strict=True)
    )


async def test_after_a_change_of_size_the_picture_is_made_anew_and_outlives_nothing(
    room: Room, shelf: Shelf
) -> None:
    large = encode_image(corners_image(960, 640))
    found = await room.collect(shelf.file(large))
    smaller = room.under(photo_side=480)
    (picture,) = (await smaller.recall(THREAD, found.photos)).values()
    assert (picture.width, picture.height) == open_jpeg(picture.jpeg).size == (480, 320)
    await room.blobs.put(blob_key(THREAD, sha256(large)), b"no picture any more")
    assert await smaller.recall(THREAD, found.photos) == {}
    assert list(room.spool.iterdir()) == []


async def test_a_photo_that_is_no_longer_kept_is_left_out(room: Room, shelf: Shelf) -> None:
    found = await room.collect(shelf.file(CAR))
    other = Thread("fake", "t", "another conversation")
    assert await room.gallery.recall(other, found.photos) == {}
    await room.gallery.forget(THREAD, float("inf"))
    assert await room.gallery.recall(THREAD, found.photos) == {}


async def test_an_original_that_can_no_longer_be_read_is_left_out(room: Room, shelf: Shelf) -> None:
    found = await room.collect(shelf.file(CAR))
    stricter = room.under(photo_side=1024, max_photo_pixels=10)
    assert await stricter.recall(THREAD, found.photos) == {}
    assert list(room.spool.iterdir()) == []


async def test_forgetting_reaches_back_from_a_time_in_one_thread(room: Room, shelf: Shelf) -> None:
    found = await room.collect(shelf.file(CAR))
    await room.gallery.forget(THREAD, 1.0)
    await room.gallery.forget(Thread("fake", "t", "another conversation"), float("inf"))
    assert len(await room.gallery.recall(THREAD, found.photos)) == 1


async def test_several_pictures_go_on_one_sheet(room: Room, shelf: Shelf) -> None:
    found = await room.collect(shelf.file(CAR), shelf.file(DOG), shelf.file(CAT))
    sheet = await room.gallery.overview(found.pictures)
    assert (sheet.name, sheet.numbers) == ("P1–P3", (1, 2, 3))
    assert sheet.facts == tuple(photo.facts for photo in found.photos)
    assert open_jpeg(sheet.jpeg).size == (sheet.width, sheet.height)


async def test_an_original_is_lent_and_gone_afterwards(room: Room, shelf: Shelf) -> None:
    (photo,) = (await room.collect(shelf.file(CAR))).photos
    async with room.gallery.original(THREAD, photo.sha256) as path:
        assert path is not None
        assert path.read_bytes() == CAR
        assert path.parent == room.spool
    assert list(room.spool.iterdir()) == []
    with pytest.raises(ZeroDivisionError):
        async with room.gallery.original(THREAD, photo.sha256):
            raise ZeroDivisionError
    assert list(room.spool.iterdir()) == []


async def test_an_original_that_is_not_kept_is_none(room: Room, shelf: Shelf) -> None:
    (photo,) = (await room.collect(shelf.file(CAR))).photos
    other = Thread("fake", "t", "another conversation")
    async with room.gallery.original(other, photo.sha256) as path:
        assert path is None


async def test_a_closer_look_shows_pixels_of_the_original(tmp_path: Path, shelf: Shelf) -> None:
    room = Room(tmp_path, photo_side=512)
    data = (MEDIA / "motorway.jpg").read_bytes()
    found = await room.collect(shelf.file(data, "motorway.jpg"))
    box = Box(200, 400, 400, 600)
    closer = await room.gallery.crop(THREAD, found.photos[0], box)
    assert (closer.name, closer.numbers) == ("P1 [200, 400, 400, 600]", (1,))
    assert open_jpeg(closer.jpeg).size == (closer.width, closer.height)
    assert closer.sha256 == sha256(closer.jpeg)
    exact, reduced = (part(open_jpeg(jpeg), box, closer) for jpeg in (data, found.pictures[0].jpeg))
    assert difference(open_jpeg(closer.jpeg), exact) < 4
    assert difference(open_jpeg(closer.jpeg), reduced) > 3 * difference(
        open_jpeg(closer.jpeg), exact
    )
    assert list(room.spool.iterdir()) == []


def part(photo: Image.Image, box: Box, like: Picture) -> Image.Image:
    """The part of a photo in a box, in the size of a picture."""
    left, right = (side * photo.width / GRID for side in (box.left, box.right))
    top, bottom = (side * photo.height / GRID for side in (box.top, box.bottom))
    cut = photo.crop((int(left), int(top), ceil(right), ceil(bottom)))
    return cut.resize((like.width, like.height), Image.Resampling.LANCZOS)


async def test_there_is_no_closer_look_at_a_photo_that_is_gone(room: Room, shelf: Shelf) -> None:
    (photo,) = (await room.collect(shelf.file(CAR))).photos
    await room.gallery.forget(THREAD, float("inf"))
    with pytest.raises(FileProblem) as caught:
        await room.gallery.crop(THREAD, photo, Box(0, 0, 500, 500))
    assert caught.value.reason is Reason.GONE
    with pytest.raises(FileProblem) as caught:
        await room.gallery.draw_outlined(THREAD, photo, [OUTLINE])
    assert caught.value.reason is Reason.GONE
    assert list(room.spool.iterdir()) == []


async def test_a_photo_is_outlined_on_a_copy(room: Room, shelf: Shelf) -> None:
    large = encode_image(corners_image(960, 640))
    found = await room.collect(shelf.file(large, "car.jpg"))
    foreign = replace(OUTLINE, number=2, photo=2)
    shown = await room.gallery.draw_outlined(THREAD, found.photos[0], [OUTLINE, foreign])
    assert (shown.name, shown.outlines) == ("P1 car.jpg", (OUTLINE,))
    assert shown.photo == found.pictures[0].jpeg
    assert difference(open_jpeg(shown.jpeg), open_jpeg(shown.photo)) > 1
    assert await room.blobs.get(blob_key(THREAD, sha256(large))) == large
    recalled = await room.gallery.recall(THREAD, found.photos)
    assert recalled[1].jpeg == found.pictures[0].jpeg


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("IMG_0042.jpg", "IMG_0042.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\a b.png", "a b.png"),
        ("a\u202egpj.exe\r\n.jpg", "agpj.exe.jpg"),
        ("**`<b>[x](y)|`.png", "bx(y).png"),
        ("", ""),
        ("  \t ", ""),
        ("x" * 200 + ".jpeg", "x" * 72 + "…" + "xx.jpeg"),
        ("\ud800.jpg", ".jpg"),
    ],
)
def test_names_of_strangers_are_safe_to_show(name: str, shown: str) -> None:
    assert display_name(name) == shown
    assert not any(unicodedata.category(char)[0] == "C" for char in shown)
