"""The child processes in which strangers' files are decoded.

A child has limits of memory and time and cannot write files, so that a decompression bomb or a
crash costs only its own call. Each child is a pebble pool of its own: the workers of one pool share
a pipe and its locks, and one that is killed at the wrong moment blocks the others.
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import multiprocessing
import os
import signal
import sys
from concurrent.futures.process import BrokenProcessPool
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from pebble import ProcessExpired, ProcessPool

from bot.errors import FileProblem, Reason

if sys.platform == "linux":
    import resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.limits import ChildLimits, FileLimits

T = TypeVar("T")

log = structlog.get_logger()

DECODERS = "bot.media.video_probe"
"""What `warm` imports, so that the first photo does not wait for it."""
CALLS_PER_CHILD = 500
"""A child is replaced after so many calls, as its libraries may leak memory."""
START_SECONDS = 30
"""Longest start of a child on a busy machine, in addition to the time for its work."""
END_SECONDS = 5
"""Longest wait for the children to end: they are killed, so that only a bug can reach it."""
PR_SET_PDEATHSIG = 1
"""The option of prctl(2) that names the signal a child gets when its parent dies."""

FATAL = (TimeoutError, ProcessExpired, BrokenProcessPool, MemoryError, asyncio.CancelledError)
"""Exceptions of a call after which its child is not used again."""


class ChildProcesses:
    """Runs functions in child processes, `limits.children` at once, in the order of the calls.

    A function, its arguments and its result travel by pickle. On Linux a child may map
    `limits.child_memory` bytes and dies with its parent; elsewhere it ends after its call.
    """

    def __init__(self, limits: ChildLimits, files: FileLimits) -> None:
        """Take the limits; children are started by `warm`, or when they are needed."""
        self._limits = limits
        self._files = files
        self._slots = asyncio.Semaphore(limits.children)
        self._pools: set[ProcessPool] = set()
        self._idle: list[ProcessPool] = []
        self._calls: set[asyncio.Future[Any]] = set()
        self._end_threads: list[Thread] = []
        self._is_closed = False

    def warm(self) -> None:
        """Start all children in the background and let them import the decoders."""
        while len(self._pools) < self._limits.children:
            pool = self._start()
            pool.schedule(import_module, args=[DECODERS])
            self._idle.append(pool)

    async def run(self, function: Callable[..., T], *args: Any, seconds: float | None = None) -> T:
        """Call a function in a child and return its result, or raise what it raised.

        `seconds` bounds the work itself (default `files.child_seconds`). Raises `FileProblem`:
        `TOO_SLOW`, or `CRASHED` when the child died or ran out of memory; `RuntimeError` when
        closed. Cancelling ends the child at once.
        """
        limit = seconds or self._files.child_seconds
        async with self._slots:
            try:
                return await self._call_twice(function, args, limit)
            except TimeoutError:
                problem = FileProblem(Reason.TOO_SLOW)
            except (ProcessExpired, BrokenProcessPool, MemoryError) as error:
                problem = FileProblem(Reason.CRASHED, type(error).__name__)
        log.warning("child_lost", function=function.__name__, reason=problem.reason.value)
        raise problem

    async def close(self) -> None:
        """End all children; calls under way are cancelled."""
        self._is_closed = True
        for call in list(self._calls):
            call.cancel()
        for pool in list(self._pools):
            self._end(pool)
        await asyncio.to_thread(_wait_for, self._end_threads)

    async def _call_twice(
        self, function: Callable[..., T], args: tuple[Any, ...], limit: float
    ) -> T:
        """Call, and once more if the child had died before the call."""
        try:
            return await self._call(function, args, limit)
        except BrokenProcessPool:
            return await self._call(function, args, limit)

    async def _call(self, function: Callable[..., T], args: tuple[Any, ...], limit: float) -> T:
        pool = self._take()
        try:
            async with asyncio.timeout(limit + START_SECONDS):
                return await self._result(pool, function, args, limit)
        except FATAL:
            self._end(pool)
            raise
        finally:
            if pool in self._pools:
                self._idle.append(pool)

    async def _result(
        self, pool: ProcessPool, function: Callable[..., T], args: tuple[Any, ...], limit: float
    ) -> T:
        call = asyncio.wrap_future(pool.schedule(function, args=args, timeout=limit))
        self._calls.add(call)
        try:
            return await call
        finally:
            self._calls.discard(call)

    def _take(self) -> ProcessPool:
        """Return a living idle child, or a new one."""
        while self._idle:
            pool = self._idle.pop()
            if pool.active:
                return pool
            self._end(pool)
        return self._start()

    def _start(self) -> ProcessPool:
        """Start a child; it is spawned, as forking a process with threads is not safe."""
        if self._is_closed:
            raise RuntimeError("the children are closed")
        pool = ProcessPool(
            max_workers=1,
            max_tasks=CALLS_PER_CHILD,
            initializer=confine,
            initargs=[self._limits, self._files],
            context=multiprocessing.get_context("spawn"),
        )
        self._pools.add(pool)
        return pool

    def _end(self, pool: ProcessPool) -> None:
        """Kill a child, in a thread because pebble waits for its own threads."""
        if pool not in self._pools:
            return
        self._pools.discard(pool)
        thread = Thread(target=_stop, args=[pool], daemon=True)
        self._end_threads = [other for other in self._end_threads if other.is_alive()] + [thread]
        thread.start()


def _stop(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


def _wait_for(threads: list[Thread]) -> None:
    for thread in threads:
        thread.join(END_SECONDS)


def import_module(module: str) -> None:
    """Import a module in a child, before the first call that needs it."""
    importlib.import_module(module)


def confine(limits: ChildLimits, files: FileLimits) -> None:
    """Limit the child that this runs in, before it imports a decoder or sees a file."""
    # Pebble's own handler would wait until the decoder returns.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ |= {
        "OPENCV_IO_MAX_IMAGE_PIXELS": str(files.max_photo_pixels),
        "OPENCV_IO_MAX_IMAGE_WIDTH": str(files.max_photo_side),
        "OPENCV_IO_MAX_IMAGE_HEIGHT": str(files.max_photo_side),
        "OPENCV_FOR_THREADS_NUM": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    if sys.platform == "linux":
        _die_with_parent()
        resource.setrlimit(resource.RLIMIT_AS, (limits.child_memory, limits.child_memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    _discard_output()


def _die_with_parent() -> None:
    """Let the kernel kill this child when the thread that started it ends.

    That is the thread of the event loop, or the thread of pebble that lives as long as the pool.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:  # It died just before.
        os._exit(1)


def _discard_output() -> None:
    """Discard what decoders print about a stranger's file: the log is for the operator."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
