from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import resource
import time
from datetime import timedelta
from pathlib import Path

import pytest
from obstore.store import S3Store
from pydantic import SecretStr

from adapters.blobs import store as blobs_module
from adapters.blobs.build import open_blobs
from adapters.blobs.doctor import check_blobs
from adapters.blobs.settings import MediaSettings
from adapters.blobs.store import BlobStore
from bot.errors import StoreDown
from bot.settings import SettingsError
from bot.settings_reader import load
from tests.servers.object_store import SlowObjectStore

MIB = 1024 * 1024


@pytest.fixture(params=["folder", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    url = None if request.param == "folder" else "memory:///"
    return open_blobs(MediaSettings(url=url and SecretStr(url)), tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> BlobStore:
    return open_blobs(MediaSettings(), tmp_path)


def big_file(path: Path, mebibytes: int) -> str:
    """Write a file of random bytes and return its SHA-256."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(mebibytes):
            chunk = os.urandom(MIB)
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


async def test_bytes_come_back_as_they_were_put(blobs: BlobStore) -> None:
    await blobs.put("thread/picture.jpg", b"\x00\xff")
    assert await blobs.get("thread/picture.jpg") == b"\x00\xff"


async def test_a_saved_file_stays_as_it_was_whatever_becomes_of_the_blob(
    blobs: BlobStore, tmp_path: Path
) -> None:
    await blobs.put("thread/clip", b"first")
    assert await blobs.save("thread/clip", tmp_path / "one")
    await blobs.put("thread/clip", b"second")
    assert await blobs.save("thread/clip", tmp_path / "two")
    assert await blobs.save("thread/clip", tmp_path / "two")
    await blobs.erase("thread")
    assert (tmp_path / "one").read_bytes() == b"first"
    assert (tmp_path / "two").read_bytes() == b"second"


async def test_a_file_of_a_folder_is_saved_without_a_copy(
    folder: BlobStore, tmp_path: Path
) -> None:
    await folder.put("thread/clip", b"bytes")
    assert await folder.save("thread/clip", tmp_path / "one")
    assert (tmp_path / "one").samefile(tmp_path / "media" / "thread" / "clip")
    (tmp_path / "one").unlink()
    assert await folder.get("thread/clip") == b"bytes"


async def test_some_blobs_of_a_folder_are_erased(blobs: BlobStore) -> None:
    for key in ("t/aa", "t/aa.2048.jpg", "t/aab", "t/bb", "t/bb.1-2.survey", "u/aa"):
        await blobs.put(key, b"x")
    await blobs.erase_some("t", {"aa", "cc"})
    kept = [
        key
        for key in ("t/aa", "t/aa.2048.jpg", "t/aab", "t/bb", "t/bb.1-2.survey", "u/aa")
        if await blobs.get(key)
    ]
    assert kept == ["t/aab", "t/bb", "t/bb.1-2.survey", "u/aa"]
    await blobs.erase_some("t", {"cc"})


async def test_a_file_goes_into_a_folder_without_a_copy(folder: BlobStore, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"bytes")
    os.utime(file, (1, 1))
    for _ in range(2):  # The second time both names are of one file already.
        await folder.put("thread/clip", file)
    kept = tmp_path / "media" / "thread" / "clip"
    assert kept.samefile(file)
    assert [path.name for path in kept.parent.iterdir()] == ["clip"]
    assert await folder.sweep(time.time() - 60) == 0
    file.unlink()
    assert await folder.get("thread/clip") == b"bytes"


async def test_a_file_of_another_disk_is_copied(
    folder: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "other disk")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    (tmp_path / "file").write_bytes(b"bytes")
    await folder.put("thread/clip", tmp_path / "file")
    assert await folder.save("thread/clip", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"bytes"
    assert not (tmp_path / "copy").samefile(tmp_path / "media" / "thread" / "clip")


async def test_a_blob_that_is_not_there_is_none(blobs: BlobStore, tmp_path: Path) -> None:
    assert await blobs.get("thread/none") is None
    assert await blobs.stream("thread/none") is None
    assert not await blobs.save("thread/none", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    assert await blobs.erase("thread") == 0


async def test_a_second_put_replaces_the_first(blobs: BlobStore) -> None:
    await blobs.put("thread/x", b"first, and longer")
    await blobs.put("thread/x", b"second")
    assert await blobs.get("thread/x") == b"second"


async def test_a_large_file_goes_in_and_out_without_being_held_in_memory(
    folder: BlobStore, tmp_path: Path
) -> None:
    digest = big_file(tmp_path / "video.mp4", 96)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await folder.put("thread/video.mp4", tmp_path / "video.mp4")
    assert await folder.save("thread/video.mp4", tmp_path / "copy")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    with (tmp_path / "copy").open("rb") as copy:
        assert hashlib.file_digest(copy, "sha256").hexdigest() == digest
    assert grown < 60 * 1024


@pytest.mark.parametrize("size", [0, 1, 99_999, 100_000, 100_001, 250_000])
async def test_a_blob_is_read_in_pieces(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(blobs_module, "PIECE", 100_000)
    data = os.urandom(size)
    await blobs.put("thread/x", data)
    pieces = await blobs.stream("thread/x")
    assert pieces is not None
    read = [piece async for piece in pieces]
    assert b"".join(read) == data
    assert len(read) == -(-size // 100_000)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (0, None),
        (5, None),
        (99_999, 100_001),
        (0, 1),
        (7, 7),
        (249_999, 9_999_999),
        (300_000, None),
    ],
)
async def test_a_part_of_a_blob_is_read_in_pieces(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch, start: int, end: int | None
) -> None:
    monkeypatch.setattr(blobs_module, "PIECE", 100_000)
    data = os.urandom(250_000)
    await blobs.put("thread/x", data)
    pieces = await blobs.stream("thread/x", start, end)
    assert pieces is not None
    assert b"".join([piece async for piece in pieces]) == data[start:end]


async def test_a_blob_that_goes_while_it_is_read(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs_module, "PIECE", 2)
    await blobs.put("thread/x", b"four")
    pieces = await blobs.stream("thread/x")
    assert pieces is not None
    assert await anext(pieces) == b"fo"
    await blobs.erase("thread")
    with pytest.raises(StoreDown, match="was erased while it was read"):
        await anext(pieces)


async def test_a_large_blob_may_take_longer_than_one_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time limit of the store is that of a request with its whole body."""
    monkeypatch.setattr(blobs_module, "PIECE", 100_000)
    data = os.urandom(500_000)
    async with SlowObjectStore(data, rate=1_000_000) as server:
        store = S3Store(
            "bucket",
            endpoint=server.url,
            access_key_id="key",
            secret_access_key="secret",
            client_options={"allow_http": True, "timeout": timedelta(seconds=0.3)},
            retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=0.3)},
        )
        assert await BlobStore(store).save("thread/x", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == data
    assert server.asked[-1] == "bytes=400000-499999"


async def test_readers_see_the_old_or_the_new_bytes_while_they_are_replaced(
    folder: BlobStore,
) -> None:
    versions = [bytes([n]) * 200_000 for n in range(8)]
    await folder.put("thread/x", versions[0])

    async def write() -> None:
        for version in versions * 4:
            await folder.put("thread/x", version)

    writing = asyncio.create_task(write())
    while not writing.done():
        assert await folder.get("thread/x") in versions
    await writing


async def test_erase_deletes_one_thread_only(blobs: BlobStore) -> None:
    for key in ("a/1", "a/2", "a/deep/3", "ab/1"):
        await blobs.put(key, b"x")
    assert await blobs.erase("a") == 3
    assert await blobs.get("a/deep/3") is None
    assert await blobs.get("ab/1") == b"x"


async def test_erase_spares_what_was_written_since(folder: BlobStore, tmp_path: Path) -> None:
    for key in ("thread/old", "thread/new", "other/old"):
        await folder.put(key, b"x")
        if key.endswith("old"):
            os.utime(tmp_path / "media" / key, (1_000, 1_000))
    assert await folder.erase("thread", before=2_000) == 1
    assert await folder.get("thread/old") is None
    assert await folder.get("thread/new") == b"x"
    assert await folder.get("other/old") == b"x"


async def test_erase_leaves_no_trace_of_a_thread_on_the_disk(
    folder: BlobStore, tmp_path: Path
) -> None:
    await folder.put("thread/x", b"x")
    await folder.erase("thread")
    assert list((tmp_path / "media").iterdir()) == []


async def test_more_blobs_than_one_batch_are_erased(blobs: BlobStore) -> None:
    await asyncio.gather(*(blobs.put(f"a/{n}", b"x") for n in range(1200)))
    assert await blobs.erase("a") == 1200


async def test_two_replicas_may_erase_the_same_thread(folder: BlobStore) -> None:
    await asyncio.gather(*(folder.put(f"a/{n}", b"x") for n in range(200)))
    counts = await asyncio.gather(folder.erase("a"), folder.erase("a"))
    assert max(counts) <= 200
    assert await folder.erase("a") == 0


async def test_a_thread_is_written_to_while_it_is_erased(folder: BlobStore) -> None:
    for number in range(100):
        await folder.put(f"a/old{number}", b"x")
        await asyncio.gather(folder.put(f"b/{number}", b"x"), folder.erase("a"))
        await asyncio.gather(folder.put(f"a/new{number}", b"x"), folder.erase("a"))


async def test_the_sweep_takes_what_is_older_and_a_new_put_makes_young(
    folder: BlobStore, tmp_path: Path
) -> None:
    for key in ("thread/old", "thread/again", "thread/young"):
        await folder.put(key, b"x")
    long_ago = time.time() - 3600
    for name in ("old", "again"):
        os.utime(tmp_path / "media" / "thread" / name, (long_ago, long_ago))
    await folder.put("thread/again", b"x")
    assert await folder.sweep(time.time() - 60) == 1
    assert await folder.get("thread/old") is None
    assert await folder.get("thread/again") == b"x"
    assert await folder.get("thread/young") == b"x"


async def test_the_sweep_spares_what_was_just_written(blobs: BlobStore) -> None:
    await blobs.put("thread/x", b"x")
    assert await blobs.sweep(time.time() - 1) == 0
    assert await blobs.sweep(time.time() + 1) == 1


async def test_what_a_killed_process_was_writing_is_swept_too(
    folder: BlobStore, tmp_path: Path
) -> None:
    await folder.put("thread/x", b"x")
    left = tmp_path / "media" / "thread" / "y#1"
    left.write_bytes(b"half a pic")
    await folder.sweep(0)
    assert left.exists()
    os.utime(left, (time.time() - 2 * 3600,) * 2)
    await folder.sweep(0)
    assert not left.exists()
    assert await folder.get("thread/x") == b"x"


@pytest.mark.parametrize(
    "key",
    ["", "/etc/passwd", "..", "a/..", "../a", "a/../b", ".", "a//b", "a/", "a\\b", "a#1", "ä"],
)
async def test_a_key_that_could_leave_its_thread_is_refused(blobs: BlobStore, key: str) -> None:
    with pytest.raises(ValueError, match="no blob can have the key"):
        await blobs.put(key, b"x")
    with pytest.raises(ValueError, match="no blob can have the key"):
        await blobs.get(key)
    with pytest.raises(ValueError, match="no blob can have the key"):
        await blobs.erase(key)


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> MediaSettings:
    """An object store that cannot be reached."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ALLOW_HTTP"):
        monkeypatch.setenv(name, "true")
    return MediaSettings(url=SecretStr("s3://bucket"), seconds=1)


async def test_a_store_that_cannot_be_reached_is_a_store_that_is_down(
    away: MediaSettings, tmp_path: Path
) -> None:
    blobs = open_blobs(away, tmp_path)
    started = time.monotonic()
    with pytest.raises(StoreDown, match="GenericError"):
        await blobs.put("thread/x", b"x")
    assert time.monotonic() - started < 10


async def test_a_trial_leaves_nothing_but_what_was_there(folder: BlobStore, tmp_path: Path) -> None:
    await folder.put("thread/x", b"x")
    assert await check_blobs(MediaSettings(), tmp_path) == "Pictures can be written and read back."
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept == [tmp_path / "media" / "thread" / "x"]


async def test_a_trial_tells_what_is_wrong(away: MediaSettings, tmp_path: Path) -> None:
    with pytest.raises(StoreDown):
        await check_blobs(away, tmp_path)
    (tmp_path / "media").touch()
    with pytest.raises(SettingsError, match=r"media cannot be used"):
        await check_blobs(MediaSettings(), tmp_path)


async def test_a_folder_that_cannot_be_written_is_a_store_that_is_down(
    folder: BlobStore, tmp_path: Path
) -> None:
    (tmp_path / "media" / "thread").write_text("a file where the folder should be")
    with pytest.raises(StoreDown):
        await folder.put("thread/x", b"x")


def test_an_unknown_address_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_MEDIA_URL", "ftp://store/media")
    with pytest.raises(SettingsError, match=r"LOUPE_MEDIA_URL .* it has to start with az://"):
        load(MediaSettings)


def test_a_missing_account_stops_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(SettingsError, match="Account must be specified"):
        open_blobs(MediaSettings(url=SecretStr("az://container/folder")), tmp_path)
