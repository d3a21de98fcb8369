"""What tests let child processes do; a module that is quick to import."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import resource
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.errors import FileProblem, Reason

if TYPE_CHECKING:
    from bot.limits import FileLimits


def double(number: int) -> int:
    return 2 * number


def pid_after(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def refuse() -> None:
    raise FileProblem(Reason.UNSUPPORTED, "PDF document")


def refuse_sound(*_: Any) -> bytes:
    raise FileProblem(Reason.DAMAGED)


def crash_over(*_: Any) -> None:
    crash()


def watch_until_a_crash(path: Path, limits: FileLimits, start: float, *how: Any) -> Any:
    """Watch stretches, but die over those that begin after the twentieth second."""
    from bot.media.video_sampler import sample  # noqa: PLC0415

    if start > 20:
        crash()
    return sample(path, limits, start, *how)


def hang_over_video(path: Path, *_: Any) -> None:
    """Hang as `hang` does; the pipe is the file "note" in the folder of the bot's data."""
    hang(path.parents[1] / "note")


def fail() -> None:
    raise LookupError("nothing there")


def hang(fifo: Path) -> None:
    """Report which process this is, then work on without ever looking for a signal."""
    fifo.write_text(str(os.getpid()))
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)


def crash() -> None:
    ctypes.string_at(0)


def allocate(size: int) -> int:
    return len(bytearray(size))


class DeadlyPickle:
    """A result that kills its process while it is sent, which is with the pipe locked."""

    def __reduce__(self) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)


def die_sending() -> DeadlyPickle:
    return DeadlyPickle()


def cannot_travel() -> Any:
    return lambda: None


def write(path: Path) -> int:
    return path.write_bytes(b"x")


def chatter() -> None:
    os.write(1, b"noise from a decoder")
    os.write(2, b"noise from a decoder")


def confinement() -> dict[str, Any]:
    import cv2  # noqa: PLC0415 (as a decoder's module does, after the child is confined)

    return {
        "memory": resource.getrlimit(resource.RLIMIT_AS),
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "threads": cv2.getNumThreads(),
        "terminated by": signal.getsignal(signal.SIGTERM),
    }


def opencv_takes(png: bytes) -> bool:
    """Return whether OpenCV itself decodes a picture, were it ever asked to."""
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    try:
        return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR) is not None
    except cv2.error:
        return False


def is_imported(module: str) -> bool:
    return module in sys.modules


def peak(path: Path, limits: FileLimits) -> tuple[str, int]:
    """Prepare a photo; return the outcome and by how many bytes memory grew at most (Linux)."""
    from bot.media.photos import prepare  # noqa: PLC0415

    before = _memory("VmRSS")
    try:
        outcome = prepare(path, limits).facts.format
    except FileProblem as problem:
        outcome = problem.reason.value
    return outcome, _memory("VmHWM") - before


def _memory(name: str) -> int:
    match = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert match
    return int(match[1]) * 1024
