from __future__ import annotations

import asyncio
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from adapters.blobs.build import open_blobs
from adapters.blobs.settings import MediaSettings
from adapters.page import files
from adapters.page.files import (
    NAME_LENGTH,
    clean_name,
    disposition,
    receive,
)
from bot.domain.size_limits import SizeLimits
from bot.errors import FileProblem
from bot.media.file_types import HEAD_BYTES
from bot.media.size_limits import ByteCounter
from tests.helpers.images import MEDIA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from adapters.blobs.store import BlobStore
    from adapters.page.messages import MessageFile

TALK = "a" * 32
BITMAP = b"BM" + bytes(12) + b"\x28\0\0\0" + bytes(HEAD_BYTES)
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
LIMIT = 100_000


class Body:
    """A body that arrives in small pieces, and then in `zeros` bytes; or stalls at its end."""

    def __init__(self, data: bytes, size: int, zeros: int = 0, *, stalls: bool = False) -> None:
        self._pieces = [data[at : at + size] for at in range(0, len(data), size)]
        self._zeros = zeros
        self._stalls = stalls

    async def iter_chunked(self, most: int) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece[:most]
        for start in range(0, self._zeros, most):
            yield bytes(min(most, self._zeros - start))
        if self._stalls:
            await asyncio.Event().wait()


class Uploads:
    """Where uploads are received: a folder for files on their way, and a store."""

    def __init__(self, folder: Path) -> None:
        self.blobs: BlobStore = open_blobs(MediaSettings(), folder)
        self.spool = folder / "spool"
        self.spool.mkdir()

    async def receive(self, body: Any, photo: int = LIMIT, video: int = LIMIT) -> MessageFile:
        tally = ByteCounter(SizeLimits(photo, video))
        try:
            return await receive(body, self.blobs, self.spool, TALK, "a.bmp", tally)
        finally:
            assert list(self.spool.iterdir()) == []


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path)


@pytest.mark.parametrize(
    ("encoded_name", "name"),
    [
        ("photo.jpg", "photo.jpg"),
        ("K%C3%A4se%20%F0%9F%A7%80.jpg", "Käse 🧀.jpg"),
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("C%3A%5CUsers%5Cme%5Cphoto.png", "photo.png"),
        ("a%0D%0ASet-Cookie%3A%20x.jpg", "a Set-Cookie: x.jpg"),
        ("gpj.%E2%80%AEexe.jpg", "gpj. exe.jpg"),
        ("%00%1f", ""),
        ("%FF.jpg", "�.jpg"),
        ("", ""),
        ("folder/", ""),
    ],
)
def test_a_name_is_reduced_to_a_plain_one(encoded_name: str, name: str) -> None:
    assert clean_name(encoded_name) == name


def test_a_long_name_keeps_its_end() -> None:
    name = clean_name("x" * 500 + ".jpeg")
    assert len(name) == NAME_LENGTH
    assert name.endswith(".jpeg")


def test_a_name_cannot_break_out_of_its_header() -> None:
    header = disposition('a"; filename=evil.exe\r\nX: y', inline=False)
    assert header.startswith("attachment; filename*=UTF-8''a%22%3B")
    assert not set('"\r\n ') & set(header.partition("''")[2])


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("fruits.jpg", "image/jpeg"),
        ("plate_KRW301.png", "image/png"),
        ("passat_cc.webp", "image/webp"),
        ("iss634.gif", "image/gif"),
        ("arrow.heic", ""),
    ],
)
async def test_pictures_are_known_by_their_bytes(
    uploads: Uploads, name: str, media_type: str
) -> None:
    file = await uploads.receive(Body((MEDIA / name).read_bytes()[:16], 16))
    assert file.media_type == media_type


@pytest.mark.parametrize(
    "head",
    [
        b"<svg xmlns='http",
        b"<!doctype html>",
        b"%PDF-1.7",
        b"\x1f\x8b\x08",
        b"",
        b"GIF8",
        b"BM no bitmap....",
        b"II*\x00tiff",
        b"MZ\x90",
    ],
)
async def test_nothing_else_is_shown_in_the_page(uploads: Uploads, head: bytes) -> None:
    assert (await uploads.receive(Body(head, 16))).media_type == ""


@pytest.mark.parametrize("size", [1, 5, HEAD_BYTES + 1])
async def test_a_picture_is_known_however_its_bytes_arrive(uploads: Uploads, size: int) -> None:
    file = await uploads.receive(Body(BITMAP, size), len(BITMAP))
    assert (file.size, file.media_type) == (len(BITMAP), "image/bmp")
    assert await uploads.blobs.get(file.blob) == BITMAP


async def test_an_upload_that_is_refused_leaves_nothing_behind(uploads: Uploads) -> None:
    with pytest.raises(FileProblem, match="too_large"):
        await uploads.receive(Body(BITMAP, 100), len(BITMAP) - 1)
    assert await uploads.blobs.sweep(float("inf")) == 0


async def test_an_upload_that_stalls_leaves_nothing_behind(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "IDLE_SECONDS", 0.05)
    with pytest.raises(TimeoutError):
        await uploads.receive(Body(BITMAP, 100, stalls=True))
    assert await uploads.blobs.sweep(float("inf")) == 0


async def test_an_upload_that_is_cancelled_leaves_nothing_behind(uploads: Uploads) -> None:
    task = asyncio.create_task(uploads.receive(Body(BITMAP, 100, stalls=True)))
    async with asyncio.timeout(5):
        while not list(uploads.spool.iterdir()):
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_video_is_never_held_in_memory(uploads: Uploads) -> None:
    tracemalloc.start()
    try:
        file = await uploads.receive(Body(MP4, 100, zeros=50_000_000), video=60_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert file.size == len(MP4) + 50_000_000
    assert peak < 5_000_000
