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

ALLOWED = SizeLimits(1000, 2000)
PAGE = Reply(body=b"<html>", headers={"Content-Type": "text/html; charset=utf-8"})


def photo(url: str, *thumbs: str, file: str = "F1") -> Attachment:
    source = {"id": file, "url": url, "thumbs": list(thumbs)}
    return Attachment("IMG_1.heic", "image/heic", source)


def told(**file: Any) -> Answer:
    return Answer({"ok": True, "file": {"id": "F1", "name": "a.jpg", **file}})


@pytest.fixture
async def wires() -> AsyncIterator[SlackClients]:
    async with slack_clients(send_tries=1) as wires:
        yield wires


async def problem(
    files: SlackFiles, file: Attachment, into: Path, where: Address | None = None
) -> FileProblem:
    with pytest.raises(FileProblem) as found:
        await files.fetch(where or address(), file, into, ALLOWED)
    assert not into.exists()
    return found.value


async def test_a_photo_is_fetched_with_the_token(wires: SlackClients, tmp_path: Path) -> None:
    url = wires.server.picture("a.jpg", b"jpeg")
    assert await wires.files.fetch(address(), photo(url), tmp_path / "a", ALLOWED)
    assert (tmp_path / "a").read_bytes() == b"jpeg"
    assert [asked.authorization for asked in wires.server.downloads] == [f"Bearer {TOKEN}"]
    assert wires.server.calls == []


async def test_a_page_to_sign_in_is_no_picture(wires: SlackClients, tmp_path: Path) -> None:
    hidden = photo(f"{wires.server.url}/files/hidden.jpg")
    found = await problem(wires.files, hidden, tmp_path / "a")
    assert (found.reason, found.detail) == (Reason.FORBIDDEN, "a sign-in page")


async def test_a_web_page_that_was_posted_is_told_from_one_to_sign_in(
    wires: SlackClients, tmp_path: Path
) -> None:
    page = replace(photo(f"{wires.server.url}/files/a.html"), declared="text/html")
    found = await problem(wires.files, page, tmp_path / "a")
    assert (found.reason, found.detail) == (Reason.UNSUPPORTED, "HTML")
    assert wires.server.downloads == []


async def test_the_largest_picture_of_slack_s_own_stands_in(
    wires: SlackClients, tmp_path: Path
) -> None:
    thumbs = [f"{wires.server.url}/files/1024.jpg"]
    thumbs += [wires.server.picture(name, name.encode()) for name in ("960.jpg", "720.jpg")]
    hidden = photo(f"{wires.server.url}/files/hidden.heic", *thumbs)
    await wires.files.fetch(address(), hidden, tmp_path / "a", ALLOWED)
    assert (tmp_path / "a").read_bytes() == b"960.jpg"
    asked = [asked.name.rpartition("/")[2] for asked in wires.server.downloads]
    assert asked == ["hidden.heic", "1024.jpg", "960.jpg"]


async def test_a_file_that_is_too_large_is_told_and_nothing_stands_in(
    wires: SlackClients, tmp_path: Path
) -> None:
    url = wires.server.picture("a.jpg", b"\xff\xd8\xff" + bytes(1000))
    thumb = wires.server.picture("360.jpg")
    found = await problem(wires.files, photo(url, thumb), tmp_path / "a")
    assert found.reason is Reason.TOO_LARGE
    assert len(wires.server.downloads) == 1


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
async def test_only_slack_s_hosts_are_asked(wires: SlackClients, tmp_path: Path, url: str) -> None:
    found = await problem(wires.files, photo(url, url), tmp_path / "a")
    assert found.reason is Reason.REFUSED_ADDRESS


async def test_the_problem_of_a_post_is_told_without_asking(
    wires: SlackClients, tmp_path: Path
) -> None:
    external = Attachment("a.jpg", problem=Reason.EXTERNAL)
    assert (await problem(wires.files, external, tmp_path / "a")).reason is Reason.EXTERNAL
    assert wires.server.calls == []


@pytest.mark.parametrize("team", ["T0", "T2"])
async def test_a_workspace_that_is_not_known_has_no_token_for_its_files(
    wires: SlackClients, tmp_path: Path, team: str
) -> None:
    url = wires.server.picture("a.jpg")
    found = await problem(wires.files, photo(url), tmp_path / "a", address(team=team))
    assert found.reason is Reason.UNREACHABLE
    assert wires.server.downloads == []


async def test_a_stub_is_completed_by_its_id(wires: SlackClients, tmp_path: Path) -> None:
    url, thumb = wires.server.picture("a.jpg", b"jpeg"), wires.server.picture("360.jpg")
    wires.server.then("files.info", told(url_private=url, mimetype="image/jpeg", thumb_360=thumb))
    known = await wires.files.with_details("T1", photo(""))
    assert (known.name, known.declared) == ("a.jpg", "image/jpeg")
    assert known.source == {"id": "F1", "url": url, "thumbs": [thumb]}
    assert wires.server.calls[0].form == {"file": "F1"}


async def test_what_is_known_already_is_not_asked(wires: SlackClients) -> None:
    for file in (photo("https://files.slack.com/a"), Attachment("a", problem=Reason.HIDDEN)):
        assert await wires.files.with_details("T1", file) == file
    assert wires.server.calls == []


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
    wires: SlackClients, tmp_path: Path, answer: Answer, reason: Reason
) -> None:
    wires.server.then("files.info", answer, answer)
    assert (await wires.files.with_details("T1", photo(""))).problem is reason
    assert (await problem(wires.files, photo(""), tmp_path / "a")).reason is reason


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
    wires: SlackClients, tmp_path: Path, answer: Answer
) -> None:
    wires.server.then("files.info", answer, answer)
    assert (await wires.files.with_details("T1", photo(""))).problem is None
    assert (await problem(wires.files, photo(""), tmp_path / "a")).reason is Reason.FORBIDDEN


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
    await files.fetch(address(), photo(server.at("photos.example", "/a")), tmp_path / "a", ALLOWED)
    assert (tmp_path / "a").read_bytes() == b"jpeg"
    seen = [(asked.host, asked.authorization) for asked in server.asked]
    assert seen == [("photos.example", f"Bearer {TOKEN}"), ("other.example", "")]


async def test_a_page_to_sign_in_on_another_host_is_recognised(
    internet: tuple[FileServer, SlackFiles], tmp_path: Path
) -> None:
    server, files = internet
    server.then(redirect(server.at("other.example", "/login")), PAGE)
    found = await problem(files, photo(server.at("photos.example", "/a")), tmp_path / "a")
    assert found.reason is Reason.FORBIDDEN


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_file_that_slack_refuses_has_its_picture_stand_in(
    internet: tuple[FileServer, SlackFiles], tmp_path: Path, status: int
) -> None:
    server, files = internet
    server.then(Reply(status), Reply(body=b"thumb"))
    urls = (server.at("photos.example", "/a"), server.at("photos.example", "/a_1024"))
    assert not await files.fetch(address(), photo(*urls), tmp_path / "a", ALLOWED)
    assert (tmp_path / "a").read_bytes() == b"thumb"


async def test_a_picture_elsewhere_does_not_stand_in(
    internet: tuple[FileServer, SlackFiles], tmp_path: Path
) -> None:
    server, files = internet
    server.then(Reply(403))
    urls = (server.at("photos.example", "/a"), server.at("other.example", "/a_1024"))
    assert (await problem(files, photo(*urls), tmp_path / "a")).reason is Reason.FORBIDDEN
    assert [asked.host for asked in server.asked] == ["photos.example"]
