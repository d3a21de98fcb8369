"""Photos looked at side by side: each that fails costs itself only, and none is waited for long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from obstore.store import MemoryStore
from structlog.testing import capture_logs

from adapters.blobs.store import BlobStore
from bot.attachments.store import AttachmentStore, blob_key
from bot.attachments.vision import AT_ONCE, MOST, VisionPass, VisionResult
from bot.domain.sightings import DetectedObject, Sighting, TextLine
from bot.domain.threads import Thread
from bot.errors import FileProblem, Reason, StoreDown, VisionProblem, VisionReason
from bot.ports.model import Picture
from tests.helpers.fakes import FakeVision, InProcessSandbox
from tests.helpers.limits import limits_of

if TYPE_CHECKING:
    from pathlib import Path

THREAD = Thread("fake", "t", "c")
PLACE = ((0.1, 0.1), (0.2, 0.1), (0.2, 0.2), (0.1, 0.2))
DAMAGED = FileProblem(Reason.DAMAGED)
UNREACHABLE = VisionProblem(VisionReason.UNREACHABLE)


class Eyes(FakeVision):
    """An engine that fails on some pictures, by JPEG, and never ends with others (`held`).

    In each of the rest it sees a caption, and lines and things of what it is to `read`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.problems: dict[bytes, Exception] = {}
        self.held: set[bytes] = set()
        self.read: tuple[str, ...] = ()
        self.at_once = self.most = 0

    async def look(
        self, jpeg: bytes, original: Path | None = None, *, upright: bool = False
    ) -> Sighting:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await super().look(jpeg, original, upright=upright)
            if jpeg in self.held:
                await asyncio.Event().wait()
            if jpeg in self.problems:
                raise self.problems[jpeg]
            return sighting(jpeg, *self.read)
        finally:
            self.at_once -= 1


class Away(BlobStore):
    """A store that gives nothing back."""

    async def save(self, key: str, into: Path) -> bool:
        raise StoreDown("away")


def sighting(jpeg: bytes, *read: str) -> Sighting:
    lines = tuple(TextLine(words, PLACE, 0.9) for words in read)
    things = tuple(DetectedObject(words, PLACE, 0.9) for words in read)
    return Sighting(lines, things, (jpeg.decode(),), "eyes")


def picture(number: int) -> Picture:
    return Picture(f"P{number}", f"{number:064x}", f"jpeg {number}".encode(), 8, 8, (number,))


class Bench:
    """Sights of a gallery that keeps the originals of all pictures but those that are `gone`."""

    def __init__(self, spool: Path, blobs: BlobStore | None = None, **limits: Any) -> None:
        children: Any = InProcessSandbox()
        self.spool = spool
        self.eyes = Eyes()
        self.blobs = blobs or BlobStore(MemoryStore())
        gallery = AttachmentStore(children, self.blobs, limits_of(**limits).files, spool)
        self.sights = VisionPass(self.eyes, gallery, limits_of(**limits).turns)
        self.progress: list[tuple[int, int]] = []

    async def see(self, *pictures: Picture, gone: bool = False) -> VisionResult:
        for one in () if gone else pictures:
            await self.blobs.put(blob_key(THREAD, one.sha256), b"original of " + one.jpeg)
        async with asyncio.timeout(10):
            return await self.sights.see(
                THREAD, pictures, lambda done, total: self.progress.append((done, total))
            )

    async def until_looking(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.eyes.looks) < count:
                await asyncio.sleep(0.005)

    @property
    def lent(self) -> int:
        """How many originals are on disk."""
        return len(list(self.spool.iterdir()))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_each_photo_is_looked_at_with_its_original(bench: Bench) -> None:
    seen = await bench.see(picture(3), picture(4))
    assert sorted(bench.eyes.looks) == [
        (b"jpeg 3", b"original of jpeg 3"),
        (b"jpeg 4", b"original of jpeg 4"),
    ]
    assert seen.sightings == {3: sighting(b"jpeg 3"), 4: sighting(b"jpeg 4")}
    assert seen.problem is None
    assert bench.progress == [(1, 2), (2, 2)]
    assert bench.lent == 0


async def test_of_a_page_full_no_more_is_kept_than_anybody_asks_about(bench: Bench) -> None:
    bench.eyes.read = ("…", *map(str, range(3 * MOST)))
    (seen,) = (await bench.see(picture(1))).sightings.values()
    assert [line.text for line in seen.lines] == [str(n) for n in range(MOST)]
    assert len(seen.things) == MOST
    assert (seen.captions, seen.engine) == (("jpeg 1",), "eyes")


async def test_lines_without_letters_and_digits_are_left_out(bench: Bench) -> None:
    bench.eyes.read = ("—", "STOP!", "•••", "", "止", "№ 7")
    (seen,) = (await bench.see(picture(1))).sightings.values()
    assert [line.text for line in seen.lines] == ["STOP!", "止", "№ 7"]


async def test_without_photos_nothing_is_looked_at(bench: Bench) -> None:
    assert await bench.see() == VisionResult()
    assert (bench.eyes.looks, bench.progress) == ([], [])


async def test_a_photo_whose_original_is_gone_is_looked_at_all_the_same(bench: Bench) -> None:
    seen = await bench.see(picture(1), gone=True)
    assert bench.eyes.looks == [(b"jpeg 1", b"")]
    assert seen.sightings == {1: sighting(b"jpeg 1")}


async def test_photos_are_looked_at_side_by_side_but_few_originals_are_lent(bench: Bench) -> None:
    bench.eyes.gate = asyncio.Event()
    pictures = [picture(number) for number in range(3 * AT_ONCE)]
    seeing = asyncio.create_task(bench.see(*pictures))
    await bench.until_looking(AT_ONCE)
    await asyncio.sleep(0.05)
    assert bench.lent == AT_ONCE
    bench.eyes.gate.set()
    assert len((await seeing).sightings) == 3 * AT_ONCE
    assert bench.eyes.most == AT_ONCE
    assert bench.lent == 0


async def test_a_photo_that_fails_costs_itself_only(bench: Bench) -> None:
    bench.eyes.problems[b"jpeg 2"] = DAMAGED
    seen = await bench.see(picture(1), picture(2), picture(3))
    assert sorted(seen.sightings) == [1, 3]
    assert seen.problem is DAMAGED
    assert bench.progress == [(1, 3), (2, 3), (3, 3)]
    assert bench.lent == 0


@pytest.mark.parametrize("places", [(1, 2), (2, 1)])
async def test_what_is_wrong_with_the_engine_is_told_first(
    bench: Bench, places: tuple[int, int]
) -> None:
    for place, problem in zip(places, (DAMAGED, UNREACHABLE), strict=True):
        bench.eyes.problems[f"jpeg {place}".encode()] = problem
    seen = await bench.see(picture(1), picture(2))
    assert (seen.sightings, seen.problem) == ({}, UNREACHABLE)


async def test_what_nobody_foresaw_is_a_failure_of_the_engine(bench: Bench) -> None:
    bench.eyes.problems[b"jpeg 1"] = ZeroDivisionError("by accident")
    with capture_logs() as logged:
        seen = await bench.see(picture(1), picture(2))
    assert isinstance(seen.problem, VisionProblem)
    assert seen.problem.reason is VisionReason.FAILED
    assert sorted(seen.sightings) == [2]
    assert [entry["event"] for entry in logged] == ["vision_broke", "photos_not_all_seen"]


async def test_a_store_that_is_away_is_no_problem_of_the_engine(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Away(MemoryStore()))
    with pytest.raises(StoreDown):
        await bench.see(picture(1), picture(2))
    assert (bench.eyes.looks, bench.lent) == ([], 0)


async def test_a_store_that_is_away_is_told_without_waiting_for_the_rest(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.eyes.held = {b"jpeg 1"}
    bench.eyes.problems[b"jpeg 2"] = StoreDown("away")
    with pytest.raises(StoreDown):
        await bench.see(picture(1), picture(2))
    assert (bench.eyes.at_once, bench.lent) == (0, 0)


async def test_what_takes_too_long_is_left_and_the_rest_is_kept(tmp_path: Path) -> None:
    bench = Bench(tmp_path, sight_seconds=0.5)
    bench.eyes.held = {b"jpeg 1"}
    seen = await bench.see(picture(1), picture(2))
    assert isinstance(seen.problem, VisionProblem)
    assert seen.problem.reason is VisionReason.TIMED_OUT
    assert seen.sightings == {2: sighting(b"jpeg 2")}
    assert bench.progress == [(1, 2)]
    assert (bench.eyes.at_once, bench.lent) == (0, 0)


async def test_an_engine_that_said_what_is_wrong_did_not_just_take_too_long(tmp_path: Path) -> None:
    bench = Bench(tmp_path, sight_seconds=0.5)
    bench.eyes.held = {b"jpeg 1"}
    bench.eyes.problems[b"jpeg 2"] = UNREACHABLE
    assert (await bench.see(picture(1), picture(2))).problem is UNREACHABLE


async def test_who_stops_waiting_ends_the_looks(bench: Bench) -> None:
    bench.eyes.held = {b"jpeg 1", b"jpeg 2"}
    seeing = asyncio.create_task(bench.see(picture(1), picture(2)))
    await bench.until_looking(2)
    assert (bench.eyes.at_once, bench.lent) == (2, 2)
    seeing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await seeing
    assert (bench.eyes.at_once, bench.lent) == (0, 0)
