"""A server under test as seen from outside: started, asked what it saw, ended."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from benchmarks.memory import Memory, children, resident
from benchmarks.watch import Seen

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

ROOT = Path(__file__).parent.parent
READY_SECONDS = 60
LONGEST_LINE = 2**24


class Server:
    """One of `benchmarks.servers` in a folder of its own; `origin` is known once it is ready."""

    def __init__(self, kind: str, folder: Path, settings: dict[str, Any]) -> None:
        self._kind = kind
        self._folder = folder
        inherited_env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        overrides = {name: str(value) for name, value in settings.items()}
        own = {"PYTHONPATH": str(ROOT), "LOUPE_DATA": str(folder / "data"), "PORT": "0"}
        self._environment = inherited_env | own | overrides
        self.origin = ""
        self._process: asyncio.subprocess.Process

    async def __aenter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "benchmarks.servers", self._kind),
                cwd=self._folder,
                env=self._environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=LONGEST_LINE,
            )
        self.origin = await self._line()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._input.close()
        await self._process.wait()

    @property
    def memory(self) -> Memory:
        """What the server, the processes that it started, and its embedded store hold."""
        files = list((self._folder / "data").glob("store-*/server.pid"))
        store = resident(int(files[0].read_text())) if files else None
        server = self._process.pid
        return Memory(resident(server), children(server), store)

    async def look(self) -> Seen:
        """Return what the server saw since the last look."""
        self._input.write(b"\n")
        return Seen(**json.loads(await self._line()))

    async def _line(self) -> str:
        async with asyncio.timeout(READY_SECONDS):
            line = await self._output.readline()
        if not line:
            raise RuntimeError(f"{self._kind} has ended:\n{self._log.read_text()[-2000:]}")
        return line.decode().strip()

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    @property
    def _input(self) -> StreamWriter:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _output(self) -> StreamReader:
        assert self._process.stdout is not None
        return self._process.stdout
