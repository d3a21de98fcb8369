"""Attachments as Teams, the Emulator and Web Chat send them."""

from __future__ import annotations

import base64
import threading

import pytest
from aiohttp import ClientSession

from adapters.http.download import Downloads, DownloadSettings
from adapters.http.ssrf_guard import Guard
from adapters.teams.access_token import bot_token
from adapters.teams.files import TeamsFiles
from adapters.teams.hosts import ConnectorHosts
from adapters.teams.settings import TeamsSettings
from bot.domain.messages import Attachment
from bot.domain.size_limits import SizeLimits
from bot.errors import FileProblem, Reason
from tests.helpers.teams_connector import FakeClock, close_after, connector_settings, teams_clients
from tests.servers.files import FileServer
from tests.servers.teams import TeamsServer

LIMITS = SizeLimits(1000, 2000)


def at(url, credential="none"):
    return Attachment(source={"url": url, "credential": credential})


def inline(data):
    return Attachment(source={"data": data})


@pytest.fixture
async def teams():
    async with TeamsServer(authorize=True) as server:
        yield server


@pytest.fixture
async def files(teams):
    async with teams_clients(connector_settings(teams)) as parts:
        yield parts.files


async def reason(files, address, attachment, into):
    with pytest.raises(FileProblem) as problem:
        await files.fetch(address, attachment, into, LIMITS)
    assert not into.exists()
    return problem.value.reason


async def test_a_pasted_picture_is_fetched_with_the_token(teams, files, tmp_path):
    picture = at(teams.picture(b"jpeg")["contentUrl"], "bot")
    await files.fetch(teams.address(), picture, tmp_path / "a", LIMITS)
    assert (tmp_path / "a").read_bytes() == b"jpeg"
    assert teams.drive.downloads[0][1] == "Bearer token-1"


async def test_an_attached_file_is_fetched_without_a_token(teams, files, tmp_path):
    file = at(teams.file(b"png", "a.png")["content"]["downloadUrl"])
    await files.fetch(teams.address(), file, tmp_path / "a", LIMITS)
    assert (tmp_path / "a").read_bytes() == b"png"
    assert teams.drive.downloads[0][1] == ""
    assert teams.tokens.requests == []


async def test_a_token_that_was_refused_is_replaced_once(teams, files, tmp_path):
    picture = at(teams.picture(b"jpeg")["contentUrl"], "bot")
    await files.fetch(teams.address(), picture, tmp_path / "a", LIMITS)
    teams.tokens.valid.clear()
    await files.fetch(teams.address(), picture, tmp_path / "b", LIMITS)
    assert (tmp_path / "b").read_bytes() == b"jpeg"
    assert [token for _, token in teams.drive.downloads] == [
        "Bearer token-1",
        "Bearer token-1",
        "Bearer token-2",
    ]


async def test_a_picture_that_the_bot_may_not_see(teams, files, tmp_path):
    teams.tokens.issues_valid = False
    picture = at(teams.picture(b"jpeg")["contentUrl"], "bot")
    assert await reason(files, teams.address(), picture, tmp_path / "a") is Reason.FORBIDDEN
    assert len(teams.drive.downloads) == 2


async def test_without_a_token_the_picture_cannot_be_reached(teams, files, tmp_path):
    teams.tokens.faults.extend([400] * 3)
    picture = at(teams.picture(b"jpeg")["contentUrl"], "bot")
    assert await reason(files, teams.address(), picture, tmp_path / "a") is Reason.UNREACHABLE
    assert teams.drive.downloads == []


async def test_the_token_goes_to_no_other_host(teams, tmp_path):
    """The URL of a picture with the credential `bot` is that of a stranger's server."""
    async with (
        FileServer(tmp_path) as theirs,
        close_after(Guard(**theirs.outside)) as guard,
        ClientSession() as session,
    ):
        settings = connector_settings(teams)
        token = bot_token(session, settings)
        files = TeamsFiles(
            Downloads(guard, DownloadSettings(), FakeClock()), token, ConnectorHosts(settings)
        )
        picture = at(theirs.at("photos.example", "/a"), "bot")
        await files.fetch(teams.address(), picture, tmp_path / "a", LIMITS)
        same_host_other_port = at(f"{theirs.local}/a", "bot")
        assert (
            await reason(files, teams.address(), same_host_other_port, tmp_path / "b")
            is Reason.REFUSED_ADDRESS
        )
    assert [one.authorization for one in theirs.asked] == [""]
    assert teams.tokens.requests == []


@pytest.mark.parametrize("service", ["https://evil.example/amer/", "http://127.0.0.1:1/"])
async def test_a_service_that_is_no_connector_gets_no_token(teams, files, tmp_path, service):
    picture = at(f"{service}v3/attachments/1/views/original", "bot")
    address = teams.address(service=service)
    got = await reason(files, address, picture, tmp_path / "a")
    assert got in {Reason.REFUSED_ADDRESS, Reason.UNREACHABLE}
    assert teams.tokens.requests == []


async def test_the_playground_serves_its_own_files_and_no_others(tmp_path):
    async with (
        TeamsServer() as playground,
        TeamsServer() as other,
        teams_clients(TeamsSettings()) as parts,
    ):
        own = at(playground.picture(b"jpeg")["contentUrl"], "bot")
        await parts.files.fetch(playground.address(), own, tmp_path / "a", LIMITS)
        file = at(playground.file(b"png", "a.png")["contentUrl"])
        await parts.files.fetch(playground.address(), file, tmp_path / "b", LIMITS)
        for credential in ("bot", "none"):
            foreign = at(other.picture(b"secret")["contentUrl"], credential)
            got = await reason(parts.files, playground.address(), foreign, tmp_path / "c")
            assert got is Reason.REFUSED_ADDRESS
    assert [(tmp_path / name).read_bytes() for name in "ab"] == [b"jpeg", b"png"]
    assert [token for _, token in playground.drive.downloads] == ["", ""]
    assert other.drive.downloads == []


async def test_an_expired_link_and_a_missing_picture(teams, files, tmp_path):
    link = at(teams.file(b"png", "a.png")["contentUrl"].partition("?")[0])
    assert await reason(files, teams.address(), link, tmp_path / "a") is Reason.EXPIRED
    view = at(f"{teams.url}v3/attachments/none/views/original", "bot")
    assert await reason(files, teams.address(), view, tmp_path / "a") is Reason.NOT_FOUND


async def test_a_problem_that_was_known_before(teams, files, tmp_path):
    attachment = Attachment(problem=Reason.HTML_ONLY)
    assert await reason(files, teams.address(), attachment, tmp_path / "a") is Reason.HTML_ONLY


async def test_an_attachment_without_a_source(teams, files, tmp_path):
    attachment = Attachment()
    assert (
        await reason(files, teams.address(), attachment, tmp_path / "a") is Reason.REFUSED_ADDRESS
    )


@pytest.mark.parametrize("size", [0, 1, 2, 3, 999, 1000])
async def test_inline_bytes_are_decoded_up_to_the_limit(teams, files, tmp_path, size):
    data = bytes(size)
    text = base64.encodebytes(data).decode()
    await files.fetch(teams.address(), inline(text), tmp_path / "a", LIMITS)
    assert (tmp_path / "a").read_bytes() == data


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (base64.b64encode(b"\xff\xd8\xff" + bytes(998)).decode(), Reason.TOO_LARGE),
        (base64.b64encode(bytes(1001)).decode(), Reason.UNSUPPORTED),
        ("A" * 10_000, Reason.TOO_LARGE_VIDEO),
        ("not base64!", Reason.DAMAGED),
        ("AAA", Reason.DAMAGED),
        ("ÄÄÄÄ", Reason.DAMAGED),
        (None, Reason.DAMAGED),
    ],
)
async def test_inline_bytes_that_cannot_be_used(teams, files, tmp_path, data, problem):
    assert await reason(files, teams.address(), inline(data), tmp_path / "a") is problem


async def test_inline_bytes_are_not_decoded_on_the_loop(teams, files, tmp_path, monkeypatch):
    threads = set()
    decode = base64.b64decode

    def watched(*args, **options):
        threads.add(threading.get_ident())
        return decode(*args, **options)

    monkeypatch.setattr(base64, "b64decode", watched)
    await files.fetch(teams.address(), inline("AAAA"), tmp_path / "a", LIMITS)
    assert threads
    assert threading.get_ident() not in threads


async def test_the_playground_asks_no_other_address(tmp_path):
    """No bot is configured, so anyone who sends an activity chooses the service URL."""
    async with (
        FileServer(tmp_path) as theirs,
        TeamsServer() as playground,
        close_after(Guard(**theirs.outside)) as guard,
        ClientSession() as session,
    ):
        settings = TeamsSettings()
        downloads = Downloads(guard, DownloadSettings(), FakeClock())
        files = TeamsFiles(downloads, bot_token(session, settings), ConnectorHosts(settings))
        public = theirs.at("photos.example", "/a")
        for url in (public, public.replace("//", "//u:p@"), "http://127.0.0.1:1/", "ftp://x/"):
            for credential in ("bot", "none"):
                got = await reason(files, playground.address(), at(url, credential), tmp_path / "a")
                assert got is Reason.REFUSED_ADDRESS
        await files.fetch(playground.address(), inline("AAAA"), tmp_path / "b", LIMITS)
    assert theirs.asked == []
