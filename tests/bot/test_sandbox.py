"""Children: limits, crashes, time-outs and ends, each costing the one call that met it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot import sandbox as module
from bot.errors import FileProblem, Reason
from bot.limits import ChildLimits, FileLimits
from bot.media.photos import prepare
from bot.sandbox import ChildProcesses
from bot.settings import MIB
from tests.helpers import child_calls
from tests.helpers.child_processes import PidPipe, is_alive
from tests.helpers.images import MEDIA, png

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux confines so far")


@pytest.fixture
def own() -> Callable[[], set[multiprocessing.process.BaseProcess]]:
    """Lists the children that a test has started; bots of other tests have some too."""
    before = set(multiprocessing.active_children())
    return lambda: set(multiprocessing.active_children()) - before


@pytest.fixture
async def children() -> AsyncIterator[ChildProcesses]:
    pool = ChildProcesses(ChildLimits(children=2), FileLimits())
    yield pool
    await pool.close()


@pytest.fixture
async def one_child() -> AsyncIterator[ChildProcesses]:
    pool = ChildProcesses(ChildLimits(children=1), FileLimits())
    yield pool
    await pool.close()


@pytest.fixture
def note(tmp_path: Path) -> Iterator[PidPipe]:
    paper = PidPipe(tmp_path / "note")
    yield paper
    paper.close()


async def until(condition: Callable[[], bool], seconds: float = 5) -> float:
    """Wait for a condition; return how long it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds
        await asyncio.sleep(0.01)
    return time.monotonic() - start


async def failing(call: Any) -> Reason:
    with pytest.raises(FileProblem) as caught:
        await call
    return caught.value.reason


async def test_results_come_back_from_another_process(children: ChildProcesses) -> None:
    assert await children.run(child_calls.double, 21) == 42
    assert await children.run(os.getpid) != os.getpid()


async def test_a_photo_is_prepared(children: ChildProcesses) -> None:
    limits = FileLimits()
    path = MEDIA / "leuvenA.jpg"
    assert await children.run(prepare, path, limits) == prepare(path, limits)


async def test_file_problems_come_back_whole(children: ChildProcesses) -> None:
    with pytest.raises(FileProblem) as caught:
        await children.run(child_calls.refuse)
    assert caught.value.reason is Reason.UNSUPPORTED
    assert caught.value.detail == "PDF document"


async def test_other_errors_come_back_as_they_are(one_child: ChildProcesses) -> None:
    before = await one_child.run(os.getpid)
    with pytest.raises(LookupError, match="nothing there"):
        await one_child.run(child_calls.fail)
    assert await one_child.run(os.getpid) == before


async def test_no_more_children_than_allowed(own: Any, children: ChildProcesses) -> None:
    pids = await asyncio.gather(*(children.run(child_calls.pid_after, 0.05) for _ in range(8)))
    assert len(set(pids)) == 2
    assert len(own()) == 2


async def test_first_come_first_served(one_child: ChildProcesses) -> None:
    served: list[int] = []

    async def call(number: int) -> None:
        served.append(await one_child.run(child_calls.double, number))

    await asyncio.gather(*(call(number) for number in range(10)))
    assert served == [2 * number for number in range(10)]


async def test_a_crash_costs_its_call_only(one_child: ChildProcesses) -> None:
    assert await failing(one_child.run(child_calls.crash)) is Reason.CRASHED
    assert await one_child.run(child_calls.double, 1) == 2


@on_linux
async def test_memory_is_limited(one_child: ChildProcesses) -> None:
    too_much = ChildLimits().child_memory
    assert await failing(one_child.run(child_calls.allocate, too_much)) is Reason.CRASHED
    assert await one_child.run(child_calls.allocate, 64 * MIB) == 64 * MIB


async def test_a_hanging_decoder_is_ended_in_time(one_child: ChildProcesses, note: PidPipe) -> None:
    slow = asyncio.create_task(one_child.run(child_calls.hang, note.path, seconds=0.3))
    pid = await note.pid()
    assert await asyncio.wait_for(failing(slow), 5) is Reason.TOO_SLOW
    await until(lambda: not is_alive(pid))
    assert await one_child.run(child_calls.double, 1) == 2


async def test_the_time_to_wait_for_a_turn_is_not_the_time_to_work(
    one_child: ChildProcesses,
) -> None:
    calls = [one_child.run(child_calls.pid_after, 0.2, seconds=1) for _ in range(8)]
    assert len(set(await asyncio.gather(*calls))) == 1


async def test_killing_a_child_at_work_leaves_the_others_alone(
    children: ChildProcesses, note: PidPipe
) -> None:
    victim = asyncio.create_task(children.run(child_calls.hang, note.path))
    others = [asyncio.create_task(children.run(child_calls.pid_after, 0.1)) for _ in range(6)]
    pid = await note.pid()
    os.kill(pid, signal.SIGKILL)
    assert await failing(victim) is Reason.CRASHED
    assert pid not in await asyncio.gather(*others)


async def test_killing_an_idle_child_costs_nothing(own: Any, one_child: ChildProcesses) -> None:
    pid = await one_child.run(os.getpid)
    os.kill(pid, signal.SIGKILL)
    assert await one_child.run(os.getpid) != pid
    os.kill(await one_child.run(os.getpid), signal.SIGKILL)
    await until(lambda: not own())
    assert await one_child.run(child_calls.double, 1) == 2


async def test_dying_while_the_pipe_is_locked_holds_nobody_up(children: ChildProcesses) -> None:
    start = time.monotonic()
    results = await asyncio.gather(
        children.run(child_calls.die_sending),
        *(children.run(child_calls.double, number) for number in range(4)),
        return_exceptions=True,
    )
    assert isinstance(results[0], FileProblem)
    assert results[0].reason is Reason.CRASHED
    assert results[1:] == [0, 2, 4, 6]
    assert time.monotonic() - start < 10


async def test_a_result_that_cannot_travel_costs_its_call_only(one_child: ChildProcesses) -> None:
    assert await failing(one_child.run(child_calls.cannot_travel)) is Reason.CRASHED
    assert await one_child.run(child_calls.double, 1) == 2


async def test_cancelling_ends_the_child_at_once(one_child: ChildProcesses, note: PidPipe) -> None:
    call = asyncio.create_task(one_child.run(child_calls.hang, note.path))
    pid = await note.pid()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await until(lambda: not is_alive(pid)) < 2
    assert await one_child.run(child_calls.double, 1) == 2


async def test_cancelling_a_call_that_waits_takes_no_turn(
    one_child: ChildProcesses, note: PidPipe
) -> None:
    first = asyncio.create_task(one_child.run(child_calls.hang, note.path))
    pid = await note.pid()
    waiting = asyncio.create_task(one_child.run(child_calls.double, 1))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert is_alive(pid)
    first.cancel()
    assert await one_child.run(child_calls.double, 2) == 4


async def test_children_are_replaced_after_many_calls(
    one_child: ChildProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CALLS_PER_CHILD", 3)
    pids = [await one_child.run(os.getpid) for _ in range(7)]
    assert len(set(pids)) == 3


async def test_warm_starts_all_children_with_their_decoders(
    own: Any, children: ChildProcesses
) -> None:
    children.warm()
    assert len(own()) == 2
    loaded = [children.run(child_calls.is_imported, module.DECODERS) for _ in range(2)]
    assert await asyncio.gather(*loaded) == [True, True]
    assert len(own()) == 2


async def test_closing_ends_everything(own: Any, note: PidPipe) -> None:
    pool = ChildProcesses(ChildLimits(children=2), FileLimits())
    pool.warm()
    call = asyncio.create_task(pool.run(child_calls.hang, note.path))
    await note.pid()
    await pool.close()
    assert not own()
    with pytest.raises(asyncio.CancelledError):
        await call
    with pytest.raises(RuntimeError, match="closed"):
        await pool.run(child_calls.double, 1)
    await pool.close()


PARENT = """
import asyncio, pathlib, sys
from bot.sandbox import ChildProcesses
from bot.limits import ChildLimits, FileLimits
from tests.helpers import child_calls
confined = ChildLimits(children=1), FileLimits()
asyncio.run(ChildProcesses(*confined).run(child_calls.hang, pathlib.Path(sys.argv[1])))
"""


@on_linux
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
async def test_no_child_outlives_its_parent(note: PidPipe, sign: signal.Signals) -> None:
    root = Path(__file__).parents[2]
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(note.path), cwd=root
    )
    try:
        pid = await note.pid()
        assert is_alive(pid)
        parent.send_signal(sign)
        assert await parent.wait() == -sign
        assert await until(lambda: not is_alive(pid)) < 2
    finally:
        if parent.returncode is None:
            parent.kill()
            await parent.wait()


@on_linux
async def test_a_child_is_confined(one_child: ChildProcesses, tmp_path: Path) -> None:
    limits = ChildLimits()
    found = await one_child.run(child_calls.confinement)
    assert found == {
        "memory": (limits.child_memory, limits.child_memory),
        "core": (0, 0),
        "threads": 1,
        "terminated by": signal.SIG_DFL,
    }
    with pytest.raises(OSError, match="File too large"):
        await one_child.run(child_calls.write, tmp_path / "file")


async def test_opencv_itself_refuses_a_bomb(one_child: ChildProcesses) -> None:
    assert await one_child.run(child_calls.opencv_takes, png(1_000, 1_000))
    assert not await one_child.run(child_calls.opencv_takes, png(7_200, 7_200))
    assert not await one_child.run(child_calls.opencv_takes, png(20_001, 8))


async def test_what_decoders_print_is_not_ours(
    one_child: ChildProcesses, capfd: pytest.CaptureFixture[str]
) -> None:
    await one_child.run(child_calls.chatter)
    assert capfd.readouterr() == ("", "")
