"""Files of Slack's: who sees the token, what a page to sign in means, and what stands in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession

from adapters.http.download import Downloads, DownloadSettings
from adapters.http.ssrf_guard import Guard
from adapters.slack.files import SlackFiles
from adapters.slack.hosts import SlackHosts
from adapters.slack.settings import SlackLimits
from adapters.slack.web_api import SlackApi
from bot.domain.messages import Attachment
from bot.domain.size_limits import SizeLimits
from bot.errors import FileProblem, Reason
from tests.helpers.fakes import FakeClock
from tests.helpers.slack_wire_server import (
    PAGE_502,
    TOKEN,
    Answer,
    OneTeam,
    address,
    refusal,
    slack_clients,
)
from tests.servers.files import FileServer, Reply, redirect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.domain.messages import Address
    from tests.helpers.slack_wire_server import SlackClients

LIMITS = SizeLimits(1000, 2000)
PAGE = Reply(body=b"<html>", headers={"Content-Type": "text/html; charset=utf-8"})


def photo(url: str, *thumbs: str, file: str = "F1") -> Attachment:
    source = {"id": file, "url": url, "thumbs": list(thumbs)}
    return Attachment("IMG_1.heic", "image/heic", source)


def told(**file: Any) -> Answer:
    return Answer({"ok": True, "file": {"id": "F1", "name": "a.jpg", **file}})


@pytest.fixture
async def clients() -> AsyncIterator[SlackClients]:
    async with slack_clients(send_tries=1) as clients:
        yield clients


async def problem(
    files: SlackFiles, file: Attachment, into: Path, where: Address | None = None
) -> FileProblem:
    with pytest.raises(FileProblem) as failure:
        await files.fetch(where or address(), file, into, LIMITS)
    assert not into.exists()
    return failure.value


async def test_a_photo_is_fetched_with_the_token(clients: SlackClients, tmp_path: Path) -> None:
    url = clients.server.picture("a.jpg", b"jpeg")
    assert await clients.files.fetch(address(), photo(url), tmp_path / "a", LIMITS)
    assert (tmp_path / "a").read_bytes() == b"jpeg"
    assert [call.authorization for call in clients.server.downloads] == [f"Bearer {TOKEN}"]
    assert clients.server.calls == []


async def test_a_page_to_sign_in_is_no_picture(clients: SlackClients, tmp_path: Path) -> None:
    hidden = photo(f"{clients.server.url}/files/hidden.jpg")
    failure = await problem(clients.files, hidden, tmp_path / "a")
    assert (failure.reason, failure.detail) == (Reason.FORBIDDEN, "a sign-in page")


async def test_a_web_page_that_was_posted_is_told_from_one_to_sign_in(
    clients: SlackClients, tmp_path: Path
) -> None:
    page = replace(photo(f"{clients.server.url}/files/a.html"), declared="text/html")
    failure = await problem(clients.files, page, tmp_path / "a")
    assert (failure.reason, failure.detail) == (Reason.UNSUPPORTED, "HTML")
    assert clients.server.downloads == []


async def test_the_largest_picture_of_slack_s_own_stands_in(
    clients: SlackClients, tmp_path: Path
) -> None:
    thumbs = [f"{clients.server.url}/files/1024.jpg"]
    thumbs += [clients.server.picture(name, name.encode()) for name in ("960.jpg", "720.jpg")]
    hidden = photo(f"{clients.server.url}/files/hidden.heic", *thumbs)
    await clients.files.fetch(address(), hidden, tmp_path / "a", LIMITS)
    assert (tmp_path / "a").read_bytes() == b"960.jpg"
    names = [call.name.rpartition("/")[2] for call in clients.server.downloads]
    assert names == ["hidden.heic", "1024.jpg", "960.jpg"]


async def test_a_file_that_is_too_large_is_told_and_nothing_stands_in(
    clients: SlackClients, tmp_path: Path
) -> None:
    url = clients.server.picture("a.jpg", b"\xff\xd8\xff" + bytes(1000))
    thumb = clients.server.picture("360.jpg")
    failure = await problem(clients.files, photo(url, thumb), tmp_path / "a")
    assert failure.reason is Reason.TOO_LARGE
    assert len(clients.server.downloads) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/files-pri/T1-F1/a.jpg",
        "https://files.slack.com.evil.example/a.jpg",
        "http://files.slack.com/a.jpg",
        "http://127.0.0.1:1/a.jpg",
        "http://169.254.169.254/latest",
    ],
)
async def test_only_slack_s_hosts_are_asked(
    clients: SlackClients, tmp_path: Path, url: str
) -> None:
    failure = await problem(clients.files, photo(url, url), tmp_path / "a")
    assert failure.reason is Reason.REFUSED_ADDRESS


async def test_the_problem_of_a_post_is_told_without_asking(
    clients: SlackClients, tmp_path: Path
) -> None:
    external = Attachment("a.jpg", problem=Reason.EXTERNAL)
    assert (await problem(clients.files, external, tmp_path / "a")).reason is Reason.EXTERNAL
    assert clients.server.calls == []


@pytest.mark.parametrize("team", ["T0", "T2"])
async def test_a_workspace_that_is_not_known_has_no_token_for_its_files(
    clients: SlackClients, tmp_path: Path, team: str
) -> None:
    url = clients.server.picture("a.jpg")
    failure = await problem(clients.files, photo(url), tmp_path / "a", address(team=team))
    assert failure.reason is Reason.UNREACHABLE
    assert clients.server.downloads == []


async def test_a_stub_is_completed_by_its_id(clients: SlackClients, tmp_path: Path) -> None:
    url, thumb = clients.server.picture("a.jpg", b"jpeg"), clients.server.picture("360.jpg")
    clients.server.then("files.info", told(url_private=url, mimetype="image/jpeg", thumb_360=thumb))
    details = await clients.files.with_details("T1", photo(""))
    assert (details.name, details.declared) == ("a.jpg", "image/jpeg")
    assert details.source == {"id": "F1", "url": url, "thumbs": [thumb]}
    assert clients.server.calls[0].form == {"file": "F1"}


async def test_what_is_known_already_is_not_asked(clients: SlackClients) -> None:
    for file in (photo("https://files.slack.com/a"), Attachment("a", problem=Reason.HIDDEN)):
        assert await clients.files.with_details("T1", file) == file
    assert clients.server.calls == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refusal("file_not_found"), Reason.DELETED),
        (refusal("file_deleted"), Reason.DELETED),
        (told(mode="external"), Reason.EXTERNAL),
        (told(mode="hidden_by_limit"), Reason.HIDDEN),
        (told(mode="tombstone"), Reason.DELETED),
    ],
)
async def test_what_slack_knows_of_a_stub_that_cannot_be_had(
    clients: SlackClients, tmp_path: Path, answer: Answer, reason: Reason
) -> None:
    clients.server.then("files.info", answer, answer)
    assert (await clients.files.with_details("T1", photo(""))).problem is reason
    assert (await problem(clients.files, photo(""), tmp_path / "a")).reason is reason


@pytest.mark.parametrize(
    "answer",
    [
        PAGE_502,
        refusal("missing_scope"),
        refusal("token_revoked"),
        told(file_access="check_file_info"),
        Answer({"ok": True, "file": None}),
    ],
)
async def test_a_stub_that_stays_one_is_not_shown_to_loupe(
    clients: SlackClients, tmp_path: Path, answer: Answer
) -> None:
    clients.server.then("files.info", answer, answer)
    assert (await clients.files.with_details("T1", photo(""))).problem is None
    assert (await problem(clients.files, photo(""), tmp_path / "a")).reason is Reason.FORBIDDEN


class ElsewhereHosts(SlackHosts):
    """Takes one host of the tests for Slack's; the rest of the internet is the rest."""

    def __init__(self, slack: str) -> None:
        super().__init__("https://slack.com/api")
        self._slack = slack

    def files(self, url: str) -> bool:
        return url.startswith(self._slack)


@pytest.fixture
async def internet(tmp_path: Path) -> AsyncIterator[tuple[FileServer, SlackFiles]]:
    """Slack's files on `photos.example`, over TLS, and another host beside it."""
    async with FileServer(tmp_path) as server, ClientSession() as session:
        guard, clock = Guard(**server.outside), FakeClock()
        api = SlackApi(session, OneTeam(), SlackLimits(), "https://slack.com/api", clock)
        downloads = Downloads(guard, DownloadSettings(), clock)
        hosts = ElsewhereHosts(server.at("photos.example", "/"))
        yield server, SlackFiles(downloads, OneTeam(), api, hosts)
        await guard.close()


async def test_the_token_stays_behind_when_slack_sends_elsewhere(
    internet: tuple[FileServer, SlackFiles], tmp_path: Path
) -> None:
    server, files = internet
    server.then(redirect(server.at("other.example", "/b")), Reply(body=b"jpeg"))
    await files.fetch(address(), photo(server.at("photos.example", "/a")), tmp_path / "a", LIMITS)
    assert (tmp_path / "a").read_bytes() == b"jpeg"
    tokens = [(request.host, request.authorization) for request in server.asked]
    assert tokens == [("photos.example", f"Bearer {TOKEN}"), ("other.example", "")]


async def test_a_page_to_sign_in_on_another_host_is_recognised(
    internet: tuple[FileServer, SlackFiles], tmp_path: Path
) -> None:
    server, files = internet
    server.then(redirect(server.at("other.example", "/login")), PAGE)
    failure = await problem(files, photo(server.at("photos.example", "/a")), tmp_path / "a")
    assert failure.reason is Reason.FORBIDDEN


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_file_that_slack_refuses_has_its_picture_stand_in(
    internet: tuple[FileServer, SlackFiles], tmp_path: Path, status: int
) -> None:
    server, files = internet
    server.then(Reply(status), Reply(body=b"thumb"))
    urls = (server.at("photos.example", "/a"), server.at("photos.example", "/a_1024"))
    assert not await files.fetch(address(), photo(*urls), tmp_path / "a", LIMITS)
    assert (tmp_path / "a").read_bytes() == b"thumb"


async def test_a_picture_elsewhere_does_not_stand_in(
    internet: tuple[FileServer, SlackFiles], tmp_path: Path
) -> None:
    server, files = internet
    server.then(Reply(403))
    urls = (server.at("photos.example", "/a"), server.at("other.example", "/a_1024"))
    assert (await problem(files, photo(*urls), tmp_path / "a")).reason is Reason.FORBIDDEN
    assert [request.host for request in server.asked] == ["photos.example"]
