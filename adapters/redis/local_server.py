"""A store server on this machine that its users share: the first starts it, the last stops it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from bot.errors import StoreDown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.redis.server_binaries import ServerBinary

LONGEST_SOCKET_PATH = 100
"""Bytes; sun_path holds 108 with its end on Linux, 104 on macOS (unix(7))."""

PAUSE = 0.02
SHUTDOWN_SECONDS = 10


class SharedServer:
    """The server of one folder, as one process sees it. Every call blocks: use a thread.

    Three lock files (flock(2)) stay right whichever process dies: `users.lock` is held shared by
    each process that uses the server, `server.lock` by the server itself as long as it lives, and
    `start.lock` by a process that is starting, joining or leaving.
    """

    def __init__(self, engine: ServerBinary, folder: Path, start_seconds: float = 60) -> None:
        """`start_seconds` is how many seconds a server may take to load its file."""
        self.engine = engine
        self.folder = folder.resolve()
        self.start_seconds = start_seconds
        self.socket = self.folder / "socket"
        self._user: IO[str] | None = None

    def join(self) -> bool:
        """Become a user, starting the server if none runs; returns whether it was started.

        Raises `StoreDown` when it does not come up.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        with self._starting():
            is_new = self._ensure()
            self._user = (self.folder / "users.lock").open("a")
            fcntl.flock(self._user, fcntl.LOCK_SH)
        return is_new

    def revive(self) -> bool:
        """Start the server again if it died; returns whether it had."""
        if self._answers():
            return False
        with self._starting():
            return self._user is not None and self._ensure()

    def leave(self) -> bool:
        """Stop being a user, and stop the server if nobody else is; returns whether it stopped."""
        if self._user is None:
            return False
        with self._starting(), self._user as user:
            self._user = None
            last = _try_lock(user)
            if last:
                self._shut_down()
                self._remove_link()
            fcntl.flock(user, fcntl.LOCK_UN)
        return last

    def _ensure(self) -> bool:
        """Wait until a server answers, having started one if none lives."""
        has_launched = False
        deadline = time.monotonic() + self.start_seconds
        while not self._answers():
            if time.monotonic() > deadline:
                raise StoreDown(f"the store server in {self.folder} runs but does not answer")
            if self._launch_if_none_lives(again=has_launched):
                has_launched = True
            time.sleep(PAUSE)
        return has_launched

    def _launch_if_none_lives(self, *, again: bool) -> bool:
        with (self.folder / "server.lock").open("a") as lock:
            if not _try_lock(lock):
                return False
            if again:
                raise StoreDown(f"{self.engine.name} does not start; see {self.folder}/server.log")
            self._launch(lock)
        return True

    def _launch(self, lock: IO[str]) -> None:
        """Run the program, which goes to the background in a session of its own.

        It inherits the open lock file, and so holds the lock until it ends, however it ends.
        """
        (self.folder / "socket").unlink(missing_ok=True)
        try:
            subprocess.run(  # noqa: S603
                self.engine.command,
                cwd=self.folder,
                pass_fds=[lock.fileno()],
                capture_output=True,
                check=True,
                timeout=self.start_seconds,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise StoreDown(f"{self.engine.name} does not start: {error}") from error

    def _shut_down(self) -> None:
        """Ask the server to write everything and end; a stuck one is left alone."""
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        while time.monotonic() < deadline:
            with (self.folder / "server.lock").open("a") as lock:
                if _try_lock(lock):
                    return
            self._ask("SHUTDOWN")
            time.sleep(PAUSE)

    def _remove_link(self) -> None:
        if self.socket.parent != self.folder:
            self.socket.parent.unlink(missing_ok=True)

    def _answers(self) -> bool:
        return self._ask("PING").startswith(b"+PONG")

    def _ask(self, command: str) -> bytes:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(self.socket))
            connection.sendall(f"{command}\r\n".encode())
            return connection.recv(64)
        return b""

    @contextmanager
    def _starting(self) -> Iterator[None]:
        deadline = time.monotonic() + self.start_seconds
        with (self.folder / "start.lock").open("a") as lock:
            while not _try_lock(lock):
                if time.monotonic() > deadline:
                    raise StoreDown(f"another process holds {self.folder}/start.lock")
                time.sleep(PAUSE)
            try:
                self.socket = _reachable(self.folder) / "socket"
                yield
            finally:
                fcntl.flock(lock, fcntl.LOCK_UN)


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _reachable(folder: Path) -> Path:
    """Return the folder, or a link to it that is short enough for a socket's path."""
    if len(os.fsencode(folder / "socket")) <= LONGEST_SOCKET_PATH:
        return folder
    links = Path(tempfile.gettempdir()) / f"loupe-{os.getuid()}"
    links.mkdir(mode=0o700, exist_ok=True)
    if links.is_symlink() or links.stat().st_uid != os.getuid():
        raise StoreDown(f"{links} belongs to somebody else")
    link = links / hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    with suppress(FileExistsError):
        link.symlink_to(folder, target_is_directory=True)
    return link
