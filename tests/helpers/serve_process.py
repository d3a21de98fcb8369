"""Real `loupe serve` processes that tests start, kill and stop."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

START_SECONDS = 90
STOP_SECONDS = 40


class ServeProcess:
    """One process; `url` is its messaging endpoint, known once it is ready."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self._folder = folder
        inherited_env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._environment = inherited_env | {
            "PORT": "0",
            "LOUPE_DATA": str(folder / "data"),
            **{name: str(value) for name, value in settings.items()},
        }
        self.url = ""
        self._process: asyncio.subprocess.Process

    async def __aenter__(self) -> Self:
        with (self._folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "serve"),
                env=self._environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.url = f"{await self._origin()}/api/messages"
        except BaseException:
            await self.end(signal.SIGKILL)
            raise
        return self

    async def _origin(self) -> str:
        """Return the address in the line that is printed at the start."""
        assert self._process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            line = (await self._process.stdout.readline()).decode()
        match = re.search(r"http://[\d.]+:\d+", line)
        assert match, f"not ready: {line!r}, see {self._folder / 'log'}"
        return match[0]

    async def __aexit__(self, *_: object) -> None:
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.end(signal.SIGTERM)  # so that the store that it started ends with it
        except TimeoutError:
            await self.end(signal.SIGKILL)

    async def end(self, number: signal.Signals) -> int:
        """Send a signal, and wait for the end; returns the exit code."""
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await self._process.wait()
