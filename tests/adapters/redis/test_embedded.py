from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from adapters.redis import embedded
from adapters.redis import server_binaries as engines
from adapters.redis.embedded import EmbeddedStore
from adapters.redis.local_server import SharedServer
from adapters.redis.server_binaries import ServerBinary
from adapters.redis.settings import RedisSettings
from bot.errors import StoreDown
from tests.servers.redis_server import ENGINES, find_engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

USER = """
import asyncio, sys, structlog
from pathlib import Path
from adapters.redis.embedded import EmbeddedStore
from adapters.redis.settings import RedisSettings

structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))

async def main(data, engine):
    store = EmbeddedStore(Path(data), RedisSettings(), [engine])
    client = await store.start()
    print((await client.info("server"))["run_id"], flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(await client.execute_command(*line.split()), flush=True)
    await store.stop()

asyncio.run(main(*sys.argv[1:]))
"""
"""Prints the server's id, then the reply to each command that it reads, until its input ends."""


class User:
    """Another process that uses the store."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.server = ""

    async def line(self) -> str:
        assert self.process.stdout
        return (await asyncio.wait_for(self.process.stdout.readline(), 20)).decode().strip()

    async def ask(self, command: str) -> str:
        assert self.process.stdin
        self.process.stdin.write(f"{command}\n".encode())
        return await self.line()

    async def leave(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        assert await asyncio.wait_for(self.process.wait(), 20) == 0

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    if find_engine(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return str(request.param)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder in which no server survives the test."""
    yield tmp_path
    for path in tmp_path.rglob("socket"):
        ask(path, "SHUTDOWN NOSAVE")


@pytest.fixture
async def new_user(data: Path, engine: str) -> AsyncIterator[Callable[[], Awaitable[User]]]:
    """Starts another process that uses the store of the data folder."""
    users: list[User] = []

    async def start() -> User:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", USER, str(data), engine),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        user = User(process)
        users.append(user)
        user.server = await user.line()
        return user

    yield start
    for each in users:
        await each.kill()


def store_in(data: Path, *names: str) -> EmbeddedStore:
    return EmbeddedStore(data, RedisSettings(), names)


def ask(path: Path, command: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(os.path.relpath(path))
            connection.sendall(f"{command}\r\n".encode())
            return connection.recv(64)
        except OSError:
            return b""


def answers(data: Path) -> bool:
    return any(ask(path, "PING") == b"+PONG\r\n" for path in data.rglob("socket"))


async def run_id(client: Any) -> str:
    return str((await client.info("server"))["run_id"])


async def test_what_was_written_is_there_after_a_restart(data: Path, engine: str) -> None:
    for expected in (None, "written"):
        store = store_in(data, engine)
        client = await store.start()
        assert await client.get("key") == expected
        await client.set("key", "written")
        await store.stop()
        assert not answers(data)


async def test_later_processes_attach_and_the_last_to_leave_stops_the_server(
    data: Path, new_user: Callable[[], Awaitable[User]]
) -> None:
    first, second = await new_user(), await new_user()
    assert first.server == second.server
    await first.ask("SET key shared")
    await first.leave()
    assert await second.ask("GET key") == "shared"
    await second.leave()
    assert not answers(data)


async def test_processes_that_start_at_the_same_instant_share_one_server(
    data: Path, new_user: Callable[[], Awaitable[User]]
) -> None:
    users = await asyncio.gather(*(new_user() for _ in range(4)))
    assert len({user.server for user in users}) == 1
    await asyncio.gather(*(user.leave() for user in users))
    assert not answers(data)


async def test_starting_and_leaving_at_the_same_time_never_loses_the_server(
    data: Path, engine: str
) -> None:
    async def come_and_go(number: int) -> None:
        store = store_in(data, engine)
        client = await store.start()
        await client.set(f"key{number}", number)
        await store.stop()

    for start in range(0, 12, 3):
        await asyncio.gather(*(come_and_go(start + n) for n in range(3)))
    store = store_in(data, engine)
    assert await (await store.start()).dbsize() == 12
    await store.stop()


async def test_a_killed_process_leaves_the_server_to_the_next_one(
    data: Path, engine: str, new_user: Callable[[], Awaitable[User]]
) -> None:
    user = await new_user()
    await user.ask("SET key kept")
    await user.kill()
    assert answers(data)
    store = store_in(data, engine)
    client = await store.start()
    assert await run_id(client) == user.server
    assert await client.get("key") == "kept"
    await store.stop()
    assert not answers(data)


async def test_nothing_is_lost_when_process_and_server_are_killed(
    data: Path, engine: str, new_user: Callable[[], Awaitable[User]]
) -> None:
    user = await new_user()
    pid = (await user.ask("INFO server")).partition("'process_id': ")[2].partition(",")[0]
    for number in range(200):
        assert await user.ask(f"RPUSH list {number}") == str(number + 1)
    os.kill(int(pid), signal.SIGKILL)
    await user.kill()
    store = store_in(data, engine)
    client = await store.start()
    assert await client.lrange("list", 0, -1) == [str(number) for number in range(200)]
    assert await run_id(client) != user.server
    await store.stop()


async def test_a_server_that_dies_under_its_users_comes_back(
    data: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "WATCH_SECONDS", 0.05)
    store = store_in(data, engine)
    client = await store.start()
    await client.set("key", "kept")
    os.kill((await client.info("server"))["process_id"], signal.SIGKILL)
    async with asyncio.timeout(10):
        while not await asyncio.to_thread(answers, data):
            await asyncio.sleep(0.02)
    assert await client.get("key") == "kept"
    await store.stop()
    assert not answers(data)


async def test_who_is_cancelled_while_starting_leaves_no_server(data: Path, engine: str) -> None:
    starting = asyncio.create_task(store_in(data, engine).start())
    async with asyncio.timeout(10):
        while not list(data.rglob("server.lock")):
            await asyncio.sleep(0.001)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not answers(data)


async def test_an_exit_without_a_stop_stops_the_server_too(data: Path, engine: str) -> None:
    abrupt = USER.replace("    await store.stop()\n", "    raise SystemExit(0)\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", abrupt, str(data), engine), stdin=asyncio.subprocess.DEVNULL
    )
    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert list(data.rglob("appendonlydir"))
    assert not answers(data)


async def test_the_server_is_private_and_out_of_the_terminals_reach(
    data: Path, engine: str
) -> None:
    store = store_in(data, engine)
    client = await store.start()
    facts = await client.info("server")
    [path] = data.rglob("socket")
    assert facts["tcp_port"] == 0
    assert os.getsid(facts["process_id"]) != os.getsid(0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (await client.config_get("append*"))["appendfsync"] == "always"
    await store.stop()


@pytest.fixture
def short_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files whose path leaves room for that of a socket."""
    with tempfile.TemporaryDirectory() as name:
        monkeypatch.setattr("tempfile.tempdir", name)
        yield Path(name)


async def test_a_deep_folder_with_spaces_and_accents_works(
    data: Path, engine: str, short_folder: Path
) -> None:
    deep = data / ("löupe data? 100% #" + "x" * 60) / ("y" * 60)
    for expected in (None, "1"):
        store = store_in(deep, engine)
        client = await store.start()
        assert await client.get("key") == expected
        await client.set("key", 1)
        assert len(list(short_folder.glob("loupe-*/*"))) == 1
        await store.stop()
        assert not list(short_folder.glob("loupe-*/*"))


async def test_each_engine_keeps_to_its_own_folder(data: Path) -> None:
    if None in map(find_engine, ENGINES):
        pytest.skip("both engines are needed")
    for engine in ENGINES:
        store = store_in(data, engine)
        client = await store.start()
        assert store.engine == engine
        assert await client.get("written by") is None
        await client.set("written by", engine)
        await store.stop()
    for engine in ENGINES:
        store = store_in(data, engine)
        assert await (await store.start()).get("written by") == engine
        await store.stop()


async def test_without_any_engine_the_store_is_in_memory_and_says_so(data: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        store = store_in(data)
        client = await store.start()
    assert [(line["event"], line["log_level"]) for line in logs] == [("store_in_memory", "warning")]
    assert await client.set("key", 1)
    assert store.engine == "memory"
    await store.stop()


async def test_a_damaged_file_stops_the_start_and_is_left_alone(data: Path, engine: str) -> None:
    store = store_in(data, engine)
    await (await store.start()).set("key", "kept")
    await store.stop()
    [file] = data.rglob("*.incr.aof")
    damaged = b"*1\r\n$4\r\nNOPE" + file.read_bytes()
    file.write_bytes(damaged)
    with pytest.raises(StoreDown, match=r"see .*server\.log"):
        await store_in(data, engine).start()
    assert file.read_bytes() == damaged


async def test_a_server_that_cannot_be_reached_is_not_started_twice(
    data: Path, engine: str
) -> None:
    store = store_in(data, engine)
    await store.start()
    [path] = data.rglob("socket")
    hidden = path.rename(path.with_name("hidden"))
    found = engines.find([engine])
    assert found
    with pytest.raises(StoreDown, match="does not answer"):
        await asyncio.to_thread(SharedServer(found, path.parent, start_seconds=0.3).join)
    hidden.rename(path)
    await store.stop()


def test_a_program_that_does_not_run_here_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in [("valkey-server", "#!/nowhere/sh\n"), ("redis-server", "#!/bin/sh\n")]:
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engines.find(["valkey-server", "redis-server"]) == ServerBinary(
        "redis-server", str(tmp_path / "redis-server")
    )


def test_a_program_that_fails_at_once_is_named(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(StoreDown, match="redis-server does not start"):
        SharedServer(ServerBinary("redis-server", "/bin/false"), tmp_path / "store").join()
    assert time.monotonic() - started < 5
