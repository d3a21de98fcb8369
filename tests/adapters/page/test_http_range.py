"""Parts of files, as players of videos ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from adapters.blobs import store as blobs_module
from adapters.page.channel import thread_of
from adapters.page.messages import MessageFile
from tests.helpers.page_client import CONVERSATION, stranger, upload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from tests.servers.page import ServedPage

DATA = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(range(256)) * 400
SIZE = len(DATA)


@pytest.fixture
async def clip(browser: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where a video that was posted is found."""
    monkeypatch.setattr(blobs_module, "PIECE", 30_000)
    file = await (await upload(browser, DATA, "clip.mp4")).json()
    return f"/page/blob/{CONVERSATION}/{file['ref']}"


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-", 0, SIZE),
        ("bytes=0-0", 0, 1),
        ("bytes=29999-60000", 29_999, 60_001),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=100-99999999", 100, SIZE),
        ("bytes=-1000", SIZE - 1000, SIZE),
        ("bytes=-99999999", 0, SIZE),
        ("BYTES=5-9", 5, 10),
    ],
)
async def test_a_part_is_handed_out(
    browser: aiohttp.ClientSession, clip: str, asked: str, start: int, end: int
) -> None:
    response = await browser.get(clip, headers={"Range": asked})
    assert response.status == 206
    assert response.headers["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert response.content_length == end - start
    assert await response.read() == DATA[start:end]
    assert response.content_type == "video/mp4"


async def test_the_whole_file_says_that_parts_can_be_had(
    browser: aiohttp.ClientSession, clip: str
) -> None:
    response = await browser.get(clip)
    assert (response.status, response.headers["Accept-Ranges"]) == (200, "bytes")
    assert "Content-Range" not in response.headers
    assert await response.read() == DATA


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=5-2"},
        {"Range": "bytes=0-1,5-9"},
        {"Range": "items=0-1"},
        {"Range": "bytes=-"},
        {"Range": "bytes=x-"},
        {"Range": "bytes=0-1", "If-Range": '"an older version"'},
    ],
)
async def test_what_makes_no_sense_is_answered_with_all(
    browser: aiohttp.ClientSession, clip: str, headers: dict[str, str]
) -> None:
    response = await browser.get(clip, headers=headers)
    assert (response.status, await response.read()) == (200, DATA)


async def test_a_question_for_the_head_alone_reads_nothing(
    browser: aiohttp.ClientSession, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Any] = []

    async def counted(*args: Any) -> AsyncIterator[bytes]:
        read.append(args)
        yield DATA

    monkeypatch.setattr(blobs_module.BlobStore, "_pieces", counted)
    response = await browser.head(clip, headers={"Range": "bytes=0-9"})
    assert (response.status, response.content_length) == (200, SIZE)
    assert read == []


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=99999999-100000000"])
async def test_what_lies_beyond_the_end_is_refused_with_the_size(
    browser: aiohttp.ClientSession, clip: str, asked: str
) -> None:
    response = await browser.get(clip, headers={"Range": asked})
    assert (response.status, response.headers["Content-Range"]) == (416, f"bytes */{SIZE}")
    assert "not that long" in (await response.json())["error"]


async def test_parts_need_a_session_and_a_file(limited_page: ServedPage, clip: str) -> None:
    async with stranger(limited_page) as client:
        assert (await client.get(clip, headers={"Range": "bytes=0-"})).status == 401


async def test_a_part_of_a_file_that_is_gone_is_not_found(
    limited_page: ServedPage, browser: aiohttp.ClientSession
) -> None:
    file = MessageFile(
        "f" * 32, f"{thread_of(CONVERSATION).key}/up/none", "clip.mp4", 10, "video/mp4"
    )
    await limited_page.page.channel._messages.add_file(CONVERSATION, file)
    response = await browser.get(
        f"/page/blob/{CONVERSATION}/{file.ref}", headers={"Range": "bytes=2-4"}
    )
    assert response.status == 404


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (DATA, "video/mp4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video/quicktime"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", "video/webm"),
        (b"RIFF\0\0\0\0AVI LIST", "application/octet-stream"),
        (b"<html><script>alert(1)</script>", "application/octet-stream"),
    ],
)
async def test_a_video_is_known_by_its_bytes_and_can_do_nothing_else(
    browser: aiohttp.ClientSession, data: bytes, media_type: str
) -> None:
    file = await (await upload(browser, data, "clip.html")).json()
    response = await browser.get(
        f"/page/blob/{CONVERSATION}/{file['ref']}", headers={"Range": "bytes=0-"}
    )
    assert await response.read() == data
    assert response.content_type == media_type
    inline = response.headers["Content-Disposition"].startswith("inline")
    assert inline is media_type.startswith("video/")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
