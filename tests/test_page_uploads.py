from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from adapters.blobs import MediaSettings, open_blobs
from adapters.page.uploads import (
    NAME_LENGTH,
    UploadTooLarge,
    clean_name,
    disposition,
    media_type_of,
    receive,
)
from bot.media.kinds import HEAD_BYTES
from tests.pictures import MEDIA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TALK = "a" * 32
BITMAP = b"BM" + bytes(12) + b"\x28\0\0\0" + bytes(HEAD_BYTES)


class Body:
    """A body that arrives in small pieces."""

    def __init__(self, data: bytes, size: int) -> None:
        self._pieces = [data[at : at + size] for at in range(0, len(data), size)]

    async def iter_chunked(self, most: int) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece[:most]


@pytest.mark.parametrize(
    ("offered", "name"),
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
def test_a_name_is_reduced_to_a_plain_one(offered: str, name: str) -> None:
    assert clean_name(offered) == name


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
def test_pictures_are_known_by_their_bytes(name: str, media_type: str) -> None:
    assert media_type_of((MEDIA / name).read_bytes()[:16]) == media_type


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
def test_nothing_else_is_shown_in_the_page(head: bytes) -> None:
    assert media_type_of(head) == ""


@pytest.mark.parametrize("size", [1, 5, HEAD_BYTES + 1])
async def test_a_picture_is_known_however_its_bytes_arrive(tmp_path: Path, size: int) -> None:
    blobs, body = open_blobs(MediaSettings(), tmp_path), cast(Any, Body(BITMAP, size))
    (spool := tmp_path / "spool").mkdir()
    file = await receive(body, blobs, spool, TALK, "a.bmp", len(BITMAP))
    assert (file.size, file.media_type) == (len(BITMAP), "image/bmp")
    assert await blobs.get(file.blob) == BITMAP
    assert list(spool.iterdir()) == []


async def test_an_upload_that_is_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    blobs, body = open_blobs(MediaSettings(), tmp_path), cast(Any, Body(BITMAP, 100))
    (spool := tmp_path / "spool").mkdir()
    with pytest.raises(UploadTooLarge):
        await receive(body, blobs, spool, TALK, "a.bmp", len(BITMAP) - 1)
    assert list(spool.iterdir()) == []
    assert await blobs.sweep(float("inf")) == 0
