"""Downloads over HTTP and TLS: limits, redirects, credentials, and what goes wrong."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager

import pytest

from adapters.download import BLOCK, HOPS, Downloads, DownloadSettings
from adapters.guard import Guard
from bot.problems import FileProblem, Reason
from tests.fakes import FakeClock
from tests.servers.files import FileServer, Reply, redirect
from tests.teams_outbound import closing

LIMIT = 1_000_000


@pytest.fixture
async def files(tmp_path):
    async with FileServer(tmp_path) as server:
        yield server


@asynccontextmanager
async def downloading(files, clock=None, **settings):
    async with closing(Guard(**files.outside)) as guard:
        yield Downloads(guard, DownloadSettings(**settings), clock or FakeClock())


@pytest.fixture
async def downloads(files):
    async with downloading(files) as made:
        yield made


async def reason(downloads, url, into, limit=LIMIT, **how):
    """Fetch what cannot be had; say why, and that nothing is left behind."""
    with pytest.raises(FileProblem) as problem:
        await downloads.fetch(url, into, limit, **how)
    assert not into.exists()
    return problem.value.reason


async def test_a_file_is_written_as_it_came(files, downloads, tmp_path):
    body = bytes(range(256)) * 4096
    files.then(Reply(body=body, pieces=50))
    await downloads.fetch(files.at("photos.example", "/a.jpg?sig=1"), tmp_path / "a", 2**20)
    assert (tmp_path / "a").read_bytes() == body
    assert [(one.path, one.authorization, one.encoding) for one in files.asked] == [
        ("/a.jpg?sig=1", "", "identity")
    ]


async def test_the_loop_does_not_write(files, downloads, tmp_path, monkeypatch):
    writers = set()

    class Watched:
        def __init__(self, file):
            self.file = file

        def write(self, data):
            writers.add((threading.get_ident(), len(data) >= BLOCK))
            return self.file.write(data)

        def close(self):
            self.file.close()

    kind = type(tmp_path)
    original = kind.open
    monkeypatch.setattr(kind, "open", lambda self, mode: Watched(original(self, mode)))
    files.then(Reply(body=b"x" * (3 * BLOCK), pieces=100))
    await downloads.fetch(files.at("photos.example", "/"), tmp_path / "a", LIMIT)
    assert threading.get_ident() not in {thread for thread, _ in writers}
    assert any(large for _, large in writers)


@pytest.mark.parametrize("lie", [{}, {"Content-Length": "1000001"}])
async def test_a_file_over_the_limit(files, downloads, tmp_path, lie):
    files.then(Reply(body=b"x" * (LIMIT + 1), headers=lie, pieces=10))
    url = files.at("photos.example", "/")
    assert await reason(downloads, url, tmp_path / "a") is Reason.TOO_LARGE
    assert len(files.asked) == 1


async def test_a_file_of_exactly_the_limit(files, downloads, tmp_path):
    files.then(Reply(body=b"x" * LIMIT))
    await downloads.fetch(files.at("photos.example", "/"), tmp_path / "a", LIMIT)
    assert (tmp_path / "a").stat().st_size == LIMIT


@pytest.mark.parametrize(
    ("status", "bearer", "expected"),
    [
        (401, "", Reason.EXPIRED),
        (403, "", Reason.EXPIRED),
        (401, "token", Reason.FORBIDDEN),
        (403, "token", Reason.FORBIDDEN),
        (404, "", Reason.NOT_FOUND),
        (410, "token", Reason.NOT_FOUND),
        (400, "", Reason.UNREACHABLE),
        (304, "", Reason.UNREACHABLE),
    ],
)
async def test_a_definite_no_is_asked_once(files, downloads, tmp_path, status, bearer, expected):
    files.then(Reply(status, b""))
    url = files.at("photos.example", "/")
    assert await reason(downloads, url, tmp_path / "a", bearer=bearer) is expected
    assert len(files.asked) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_passing_no_is_asked_again(files, downloads, tmp_path, status):
    files.then(Reply(status), Reply(status), Reply(body=b"there"))
    await downloads.fetch(files.at("photos.example", "/"), tmp_path / "a", LIMIT)
    assert (tmp_path / "a").read_bytes() == b"there"


async def test_retry_after_is_honoured(files, tmp_path):
    clock = FakeClock()
    files.then(Reply(429, headers={"Retry-After": "7"}))
    async with downloading(files, clock) as downloads:
        await downloads.fetch(files.at("photos.example", "/"), tmp_path / "a", LIMIT)
    assert clock.waits == [7]


async def test_a_server_that_keeps_failing(files, downloads, tmp_path):
    files.then(*[Reply(503)] * 9)
    url = files.at("photos.example", "/")
    assert await reason(downloads, url, tmp_path / "a") is Reason.UNREACHABLE
    assert len(files.asked) == 3


async def test_a_broken_connection_begins_anew(files, downloads, tmp_path):
    files.then(Reply(body=b"half of", cut=True), Reply(body=b"whole"))
    await downloads.fetch(files.at("photos.example", "/"), tmp_path / "a", LIMIT)
    assert (tmp_path / "a").read_bytes() == b"whole"


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/xhtml+xml"])
async def test_a_page_is_no_picture(files, downloads, tmp_path, kind):
    files.then(Reply(body=b"<html>Sign in</html>", headers={"Content-Type": kind}))
    url = files.at("photos.example", "/")
    assert await reason(downloads, url, tmp_path / "a") is Reason.NOT_A_FILE


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_the_token_stays_with_its_origin(files, downloads, tmp_path, status):
    files.then(redirect("/next?x=1", status), redirect(files.at("other.example", "/b"), status))
    files.then(redirect(files.at("photos.example", "/c"), status))
    url = files.at("photos.example", "/a")
    await downloads.fetch(url, tmp_path / "a", LIMIT, bearer="secret")
    assert [(one.host, one.path, one.authorization) for one in files.asked] == [
        ("photos.example", "/a", "Bearer secret"),
        ("photos.example", "/next?x=1", "Bearer secret"),
        ("other.example", "/b", ""),
        ("photos.example", "/c", ""),
    ]


async def test_redirects_end(files, downloads, tmp_path):
    files.then(*[redirect("/again")] * 20)
    url = files.at("photos.example", "/")
    assert await reason(downloads, url, tmp_path / "a") is Reason.UNREACHABLE
    assert len(files.asked) == HOPS + 1


@pytest.mark.parametrize(
    "target",
    [
        "http://photos.example/a",
        "file:///etc/passwd",
        "https://user:password@photos.example/",
        "//[::1",
    ],
)
async def test_redirects_are_judged_like_addresses(files, downloads, tmp_path, target):
    files.then(redirect(target))
    url = files.at("photos.example", "/")
    assert await reason(downloads, url, tmp_path / "a") is Reason.REFUSED_ADDRESS
    assert len(files.asked) == 1


async def test_a_redirect_leads_to_no_private_address(files, tmp_path):
    """The first hop is admitted as this machine's, the second is not on it."""
    files.then(redirect("https://169.254.169.254/metadata"))
    async with closing(Guard()) as guard:
        downloads = Downloads(guard, DownloadSettings(), FakeClock())
        got = await reason(downloads, f"{files.local}/a", tmp_path / "a", local=files.local)
    assert got is Reason.REFUSED_ADDRESS


async def test_a_local_origin_is_asked_only_when_named(files, downloads, tmp_path):
    url = f"{files.local}/a"
    assert await reason(downloads, url, tmp_path / "a") is Reason.REFUSED_ADDRESS
    await downloads.fetch(url, tmp_path / "a", LIMIT, local=files.local)
    assert len(files.asked) == 1


async def test_a_redirect_does_not_lead_away_from_the_local_origin(files, tmp_path):
    files.then(redirect(files.at("photos.example", "/b")), redirect("/c"), Reply())
    async with closing(Guard(**files.outside)) as guard:
        downloads = Downloads(guard, DownloadSettings(), FakeClock())
        got = await reason(downloads, f"{files.local}/a", tmp_path / "a", local=files.local)
        await downloads.fetch(f"{files.local}/a", tmp_path / "b", LIMIT, local=files.local)
    assert got is Reason.REFUSED_ADDRESS
    assert [one.path for one in files.asked] == ["/a", "/a", "/c"]


async def test_nobody_outside_can_send_us_to_the_local_origin(files, downloads, tmp_path):
    files.then(redirect(f"{files.local}/secret"))
    url = files.at("photos.example", "/")
    got = await reason(downloads, url, tmp_path / "a", local=files.local)
    assert got is Reason.REFUSED_ADDRESS
    assert len(files.asked) == 1


async def test_a_silent_server(files, tmp_path):
    files.then(*[Reply(body=b"ab", pieces=2, pause=5)] * 2)
    async with downloading(files, idle_seconds=0.1, tries=2) as downloads:
        url = files.at("photos.example", "/")
        assert await reason(downloads, url, tmp_path / "a") is Reason.UNREACHABLE
    assert len(files.asked) == 2


async def test_a_download_ends_with_its_time(files, tmp_path):
    files.then(Reply(body=b"x" * 100, pieces=100, pause=0.05))
    async with downloading(files, seconds=0.3) as downloads:
        url = files.at("photos.example", "/")
        assert await reason(downloads, url, tmp_path / "a") is Reason.UNREACHABLE
    assert len(files.asked) == 1


async def test_a_trickle_is_given_up(files, tmp_path):
    """The clock says that ten seconds pass with every look at it."""

    class Slow(FakeClock):
        def now(self):
            self.time += 10
            return self.time

    files.then(Reply(body=b"x" * 100, pieces=10, pause=0.01))
    async with downloading(files, Slow(), seconds=300) as downloads:
        url = files.at("photos.example", "/")
        assert await reason(downloads, url, tmp_path / "a") is Reason.UNREACHABLE
    assert len(files.asked) == 1


async def test_a_stopped_download_leaves_no_file(files, downloads, tmp_path):
    files.then(Reply(body=b"ab", pieces=2, pause=5))
    into = tmp_path / "a"
    url = files.at("photos.example", "/")
    task = asyncio.create_task(downloads.fetch(url, into, LIMIT))
    await asyncio.wait_for(files.sending.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not into.exists()
