"""Downloads over HTTP and TLS: limits, redirects, credentials, and what goes wrong."""

from __future__ import annotations

import asyncio
import threading
import tracemalloc
from contextlib import asynccontextmanager

import pytest

from adapters.http.download import BLOCK, HOPS, Downloads, DownloadSettings
from adapters.http.ssrf_guard import Guard
from bot.domain.size_limits import SizeLimits
from bot.errors import FileProblem, Reason
from bot.media.file_types import HEAD_BYTES
from tests.helpers.fakes import FakeClock
from tests.helpers.teams_connector import close_after
from tests.servers.files import FileServer, Reply, redirect

LIMIT = 1_000_000
VIDEO_LIMIT = 4 * LIMIT
ALLOWED = SizeLimits(LIMIT, VIDEO_LIMIT)
JPEG = b"\xff\xd8\xff"
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
GIF = b"GIF89a"
PDF = b"%PDF-1.7\n"


@pytest.fixture
async def files(tmp_path):
    async with FileServer(tmp_path) as server:
        yield server


@asynccontextmanager
async def downloading(files, clock=None, **settings):
    async with close_after(Guard(**files.outside)) as guard:
        yield Downloads(guard, DownloadSettings(**settings), clock or FakeClock())


@pytest.fixture
async def downloads(files):
    async with downloading(files) as made:
        yield made


async def reason(downloads, url, into, **how):
    """Fetch what cannot be had; say why, and that nothing is left behind."""
    with pytest.raises(FileProblem) as problem:
        await downloads.fetch(url, into, ALLOWED, **how)
    assert not into.exists()
    return problem.value.reason


async def test_a_file_is_written_as_it_came(files, downloads, tmp_path):
    body = bytes(range(256)) * 4096
    files.then(Reply(body=body, pieces=50))
    await downloads.fetch(
        files.at("photos.example", "/a.jpg?sig=1"), tmp_path / "a", SizeLimits(2**20, 2**20)
    )
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
    await downloads.fetch(files.at("photos.example", "/"), tmp_path / "a", ALLOWED)
    assert threading.get_ident() not in {thread for thread, _ in writers}
    assert any(large for _, large in writers)


def long(head, size, *, told):
    """A file of so many bytes, with or without a Content-Length."""
    return Reply(
        body=head, zeros=size - len(head), headers={"Content-Length": str(size)} if told else {}
    )


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize(
    ("head", "size", "expected"),
    [
        (JPEG, LIMIT + 1, Reason.TOO_LARGE),
        (GIF, LIMIT + 1, Reason.TOO_LARGE),
        (MP4, VIDEO_LIMIT + 1, Reason.TOO_LARGE_VIDEO),
        (PDF, LIMIT + 1, Reason.UNSUPPORTED),
        (b"", LIMIT + 1, Reason.UNSUPPORTED),
    ],
)
async def test_a_file_over_its_limit(files, downloads, tmp_path, head, size, expected, told):
    files.then(long(head, size, told=told))
    url = files.at("photos.example", "/")
    assert await reason(downloads, url, tmp_path / "a") is expected
    assert len(files.asked) == 1


@pytest.mark.parametrize("told", [False, True])
async def test_of_a_huge_video_little_is_taken(files, downloads, tmp_path, told):
    files.then(long(MP4, 100 * LIMIT, told=told))
    url = files.at("photos.example", "/")
    assert await reason(downloads, url, tmp_path / "a") is Reason.TOO_LARGE_VIDEO
    async with asyncio.timeout(5):
        await files.ended.wait()
    assert files.sent < 30 * LIMIT


async def test_of_a_huge_photo_only_the_head_is_taken(files, downloads, tmp_path):
    """Its length is below the limit of videos, so that its first bytes are waited for."""
    declared = {"Content-Length": str(2 * LIMIT)}
    files.then(Reply(body=JPEG + bytes(HEAD_BYTES), headers=declared, pause=60))
    url = files.at("photos.example", "/")
    assert await reason(downloads, url, tmp_path / "a") is Reason.TOO_LARGE


@pytest.mark.parametrize("told", [False, True])
async def test_a_video_may_be_larger_than_a_photo(files, downloads, tmp_path, told):
    files.then(long(MP4, VIDEO_LIMIT, told=told))
    await downloads.fetch(files.at("photos.example", "/"), tmp_path / "a", ALLOWED)
    assert (tmp_path / "a").read_bytes() == MP4 + bytes(VIDEO_LIMIT - len(MP4))


async def test_a_video_is_never_held_in_memory(files, downloads, tmp_path):
    files.then(long(MP4, 60 * LIMIT, told=True))
    tracemalloc.start()
    try:
        url = files.at("photos.example", "/")
        await downloads.fetch(url, tmp_path / "a", SizeLimits(LIMIT, 60 * LIMIT))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "a").stat().st_size == 60 * LIMIT
    assert peak < 8 * LIMIT


async def test_a_file_of_exactly_the_limit(files, downloads, tmp_path):
    files.then(long(JPEG, LIMIT, told=False))
    await downloads.fetch(files.at("photos.example", "/"), tmp_path / "a", ALLOWED)
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
    await downloads.fetch(files.at("photos.example", "/"), tmp_path / "a", ALLOWED)
    assert (tmp_path / "a").read_bytes() == b"there"


async def test_retry_after_is_honoured(files, tmp_path):
    clock = FakeClock()
    files.then(Reply(429, headers={"Retry-After": "7"}))
    async with downloading(files, clock) as downloads:
        await downloads.fetch(files.at("photos.example", "/"), tmp_path / "a", ALLOWED)
    assert clock.waits == [7]


async def test_a_server_that_keeps_failing(files, downloads, tmp_path):
    files.then(*[Reply(503)] * 9)
    url = files.at("photos.example", "/")
    assert await reason(downloads, url, tmp_path / "a") is Reason.UNREACHABLE
    assert len(files.asked) == 3


async def test_a_broken_connection_begins_anew(files, downloads, tmp_path):
    files.then(Reply(body=b"half of", cut=True), Reply(body=b"whole"))
    await downloads.fetch(files.at("photos.example", "/"), tmp_path / "a", ALLOWED)
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
    await downloads.fetch(url, tmp_path / "a", ALLOWED, bearer="secret")
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
    async with close_after(Guard()) as guard:
        downloads = Downloads(guard, DownloadSettings(), FakeClock())
        got = await reason(downloads, f"{files.local}/a", tmp_path / "a", local=files.local)
    assert got is Reason.REFUSED_ADDRESS


async def test_a_local_origin_is_asked_only_when_named(files, downloads, tmp_path):
    url = f"{files.local}/a"
    assert await reason(downloads, url, tmp_path / "a") is Reason.REFUSED_ADDRESS
    await downloads.fetch(url, tmp_path / "a", ALLOWED, local=files.local)
    assert len(files.asked) == 1


async def test_a_redirect_does_not_lead_away_from_the_local_origin(files, tmp_path):
    files.then(redirect(files.at("photos.example", "/b")), redirect("/c"), Reply())
    async with close_after(Guard(**files.outside)) as guard:
        downloads = Downloads(guard, DownloadSettings(), FakeClock())
        got = await reason(downloads, f"{files.local}/a", tmp_path / "a", local=files.local)
        await downloads.fetch(f"{files.local}/a", tmp_path / "b", ALLOWED, local=files.local)
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


async def test_a_video_has_more_time(files, tmp_path):
    files.then(Reply(body=MP4 + bytes(100), pieces=20, pause=0.05))
    async with downloading(files, seconds=0.3, video_seconds=30) as downloads:
        await downloads.fetch(files.at("photos.example", "/"), tmp_path / "a", ALLOWED)
    assert (tmp_path / "a").stat().st_size == len(MP4) + 100


async def test_a_video_has_not_all_the_time(files, tmp_path):
    files.then(Reply(body=MP4 + bytes(100), pieces=100, pause=0.05))
    async with downloading(files, seconds=30, video_seconds=0.3) as downloads:
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
    task = asyncio.create_task(downloads.fetch(url, into, ALLOWED))
    await asyncio.wait_for(files.sending.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not into.exists()
