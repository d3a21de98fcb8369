"""Files that are written as their bytes arrive."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import pytest

from adapters.http.file_writer import remove, writing


async def test_a_file_is_written_and_closed(tmp_path: Path) -> None:
    async with writing(tmp_path / "a") as file:
        file.write(b"photo")
    assert file.closed
    assert (tmp_path / "a").read_bytes() == b"photo"


async def test_a_file_is_closed_when_its_writing_fails(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        async with writing(tmp_path / "a") as file:
            raise ConnectionError
    assert file.closed


async def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        async with writing(tmp_path / "nowhere" / "a"):
            pass


async def test_a_file_is_closed_when_its_writer_is_cancelled_while_it_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[IO[bytes]] = []
    begun, go_on, open_now = asyncio.Event(), threading.Event(), Path.open
    loop = asyncio.get_running_loop()

    def open_slowly(path: Path, *how: Any) -> Any:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(5)
        opened.append(open_now(path, *how))
        return opened[0]

    async def write() -> None:
        async with writing(tmp_path / "a"):
            raise AssertionError("it was cancelled before")

    monkeypatch.setattr(Path, "open", open_slowly)
    task = asyncio.create_task(write())
    await asyncio.wait_for(begun.wait(), 5)
    task.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [file.closed for file in opened] == [True]


async def test_a_file_is_deleted_if_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"photo")
    for _ in range(2):
        await remove(tmp_path / "a")
        assert not (tmp_path / "a").exists()


async def test_a_file_is_deleted_even_when_its_turn_to_be_comes_after_a_cancellation(
    tmp_path: Path,
) -> None:
    """All threads are busy, so that the deletion still waits for one."""
    (tmp_path / "a").write_bytes(b"photo")
    loop, go_on = asyncio.get_running_loop(), threading.Event()
    loop.set_default_executor(ThreadPoolExecutor(1))
    busy = loop.run_in_executor(None, go_on.wait, 5)
    task = asyncio.create_task(remove(tmp_path / "a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (tmp_path / "a").exists()
    go_on.set()
    await busy
    await asyncio.to_thread(lambda: None)
    assert not (tmp_path / "a").exists()
