from __future__ import annotations

import asyncio
import json
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from redis.exceptions import ConnectionError as RedisDown
from yarl import URL

from adapters.blobs import store as blobs_module
from adapters.blobs.store import BlobStore
from adapters.page import files
from adapters.page.channel import PageAddress, thread_of
from bot.domain.size_limits import SizeLimits
from bot.errors import StoreDown
from bot.ports.channel import Post, Stage
from tests.helpers.images import MEDIA
from tests.helpers.page_client import CONVERSATION, PHOTO_LIMIT, UPLOAD_LIMIT, stranger, upload
from tests.servers.page import SYSTEM, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from redis.asyncio import Redis

    from tests.servers.page import ServedPage

PHOTO = MEDIA / "fruits.jpg"
JPEG = b"\xff\xd8\xff"
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
PDF = b"%PDF-1.7\n"


def message(text: str = "Hello", **fields: Any) -> dict[str, Any]:
    return {"conversation": CONVERSATION, "id": str(uuid.uuid4()), "text": text, **fields}


class Stream:
    """Reads Server-Sent Events one by one."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._unread: list[dict[str, Any]] = []

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            fields: dict[str, str] = {}
            while line := (await self._response.content.readline()).decode().rstrip("\n"):
                name, _, value = line.partition(": ")
                fields[name] = value
        event: dict[str, Any] = json.loads(fields["data"])
        assert fields["id"] == str(event["version"])
        return event

    async def until(self, text: str) -> dict[str, Any]:
        """Read on until a message shows a text; returns the message."""
        while True:
            while self._unread:
                if text in (message := self._unread.pop(0))["text"]:
                    return message
            self._unread += (await self.next())["messages"]

    async def ended(self) -> bool:
        async with asyncio.timeout(5):
            return await self._response.content.read() is not None


@asynccontextmanager
async def stream(client: aiohttp.ClientSession, **headers: str) -> AsyncIterator[Stream]:
    path = f"/page/stream?conversation={CONVERSATION}"
    async with client.get(path, headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        yield Stream(response)


# Coming in


async def test_the_token_becomes_a_cookie_and_leaves_the_address(limited_page: ServedPage) -> None:
    async with stranger(limited_page) as client:
        response = await client.get(
            "/", params={"token": limited_page.token}, allow_redirects=False
        )
        assert (response.status, response.headers["Location"]) == (303, "/")
        (cookie,) = response.headers.getall("Set-Cookie")
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert limited_page.token not in cookie
        assert (await client.get("/")).status == 200


async def test_a_link_on_another_site_leads_in_too(limited_page: ServedPage) -> None:
    async with stranger(limited_page) as client:
        headers = {"Sec-Fetch-Site": "cross-site"}
        response = await client.get("/", params={"token": limited_page.token}, headers=headers)
        assert response.status == 200
        assert "url=/" in await response.text()
        assert response.headers.getall("Set-Cookie")


@pytest.mark.parametrize("path", ["/", "/?token=wrong", "/?token=", f"/c/{CONVERSATION}"])
async def test_strangers_are_told_how_to_come_in(limited_page: ServedPage, path: str) -> None:
    async with stranger(limited_page) as client:
        response = await client.get(path)
        assert response.status == 401
        assert "Open Loupe with the link from the terminal" in await response.text()
        assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/page/stream?conversation={CONVERSATION}"),
        ("GET", f"/page/state?conversation={CONVERSATION}"),
        ("GET", "/page/recent"),
        ("GET", f"/page/blob/{CONVERSATION}/{'f' * 32}"),
        ("GET", "/page/static/page.js"),
        ("POST", f"/page/files?conversation={CONVERSATION}"),
        ("POST", "/page/messages"),
    ],
)
async def test_without_a_session_there_is_nothing(
    limited_page: ServedPage, method: str, path: str
) -> None:
    async with stranger(limited_page) as client:
        response = await client.request(method, path, data=b"{}" if method == "POST" else None)
        assert response.status == 401
        assert "session has ended" in (await response.json())["error"]
    assert limited_page.bot.accepted == []


async def test_a_rebound_name_is_not_served(
    limited_page: ServedPage, browser: aiohttp.ClientSession
) -> None:
    for path in ("/", "/page/recent", "/page/static/page.css"):
        response = await browser.get(path, headers={"Host": "evil.example"})
        assert response.status == 421
        assert "LOUPE_PAGE_HOSTS" in (await response.json())["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_other_sites_cannot_post(
    limited_page: ServedPage, browser: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    response = await browser.post("/page/messages", json=message(), headers=headers)
    assert response.status == 403
    assert limited_page.bot.accepted == []
    own = await browser.post(
        "/page/messages", json=message(), headers={"Origin": limited_page.origin}
    )
    assert own.status == 202


async def test_every_answer_forbids_what_the_page_does_not_need(
    limited_page: ServedPage, browser: aiohttp.ClientSession
) -> None:
    async with stranger(limited_page) as client:
        answers = [
            await browser.get("/"),
            await browser.get("/page/static/page.js"),
            await browser.get("/page/recent"),
            await client.get("/"),
            await client.get("/page/recent"),
            await browser.get("/", headers={"Host": "evil.example"}),
        ]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    async with browser.get(f"/page/stream?conversation={CONVERSATION}") as response:
        assert "Content-Security-Policy" in response.headers


async def test_files_of_the_page_are_asked_for_again_only_when_they_changed(
    browser: aiohttp.ClientSession,
) -> None:
    first = await browser.get("/page/static/page.css")
    assert (first.status, first.content_type) == (200, "text/css")
    assert first.headers["Cache-Control"] == "no-cache"
    tag = first.headers["ETag"]
    again = await browser.get("/page/static/page.css", headers={"If-None-Match": tag})
    assert (again.status, await again.read()) == (304, b"")


async def test_a_stranger_is_told_how_to_come_in_each_time(limited_page: ServedPage) -> None:
    async with stranger(limited_page) as other:
        first = await other.get("/")
        again = await other.get("/", headers={"If-None-Match": first.headers["ETag"]})
        assert (first.status, again.status) == (401, 401)
        assert await again.read() == await first.read() != b""


@pytest.mark.parametrize("name", ["none.js", "index.html", "..%2Fsettings.py", "%00"])
async def test_nothing_but_the_files_of_the_page_is_served(
    browser: aiohttp.ClientSession, name: str
) -> None:
    assert (await browser.get(f"/page/static/{name}")).status == 404


async def test_the_page_names_only_files_that_are_served(browser: aiohttp.ClientSession) -> None:
    page = await (await browser.get("/")).text()
    paths = {part.partition('"')[0] for part in page.split('"/page/static/')[1:]}
    assert {"page.js", "page.css", "mark.svg"} <= paths
    for path in paths:
        assert (await browser.get(f"/page/static/{path}")).status == 200
    assert "<style" not in page
    assert "http://" not in page
    assert "https://" not in page


# Sending


async def test_a_message_is_accepted_shown_and_answered(
    limited_page: ServedPage, browser: aiohttp.ClientSession
) -> None:
    posted = message("What is this?")
    async with stream(browser) as events:
        assert (await events.next())["messages"] == []
        response = await browser.post("/page/messages", json=posted)
        assert (response.status, await response.json()) == (202, {"id": posted["id"]})
        assert (await events.until("What is this?"))["by"] == "user"
        answer = await events.until("KRW 301")
        assert (answer["by"], answer["asks"]) == ("loupe", posted["id"])
    (accepted,) = limited_page.bot.accepted
    assert accepted.thread == thread_of(CONVERSATION)
    assert accepted.author.name == "You"


async def test_the_same_message_sent_twice_is_one(
    limited_page: ServedPage, browser: aiohttp.ClientSession
) -> None:
    posted = message("Once")
    for _ in range(2):
        assert (await browser.post("/page/messages", json=posted)).status == 202
    async with stream(browser) as events:
        messages = (await events.next())["messages"]
    assert [message["text"] for message in messages if message["by"] == "user"] == ["Once"]
    assert limited_page.bot.texts == ["Once"]


async def test_a_message_that_cannot_be_stored_is_neither_taken_nor_shown(
    limited_page: ServedPage, browser: aiohttp.ClientSession
) -> None:
    posted = message("Kept in the composer")
    limited_page.bot.down = True
    response = await browser.post("/page/messages", json=posted)
    assert response.status == 503
    assert "cannot store anything right now" in (await response.json())["error"]
    async with stream(browser) as events:
        assert (await events.next())["messages"] == []
    limited_page.bot.down = False
    assert (await browser.post("/page/messages", json=posted)).status == 202
    assert limited_page.bot.texts == ["Kept in the composer"]


async def test_a_store_that_is_away_is_told_and_never_a_server_error(
    browser: aiohttp.ClientSession, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise RedisDown

    monkeypatch.setattr(redis, "execute_command", fail)
    assert (await browser.post("/page/messages", json=message())).status == 503
    assert (await browser.get(f"/page/stream?conversation={CONVERSATION}")).status == 503
    assert (await upload(browser, b"x")).status == 503


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[" * 5_000, 400),
        (b'{"conversation": "x"}', 400),
        (json.dumps(message("x" * 101)).encode(), 413),
        (b"x" * 100_000, 413),
        (json.dumps(message(files=["f" * 32])).encode(), 410),
        (json.dumps(message("\ud800" * 100)).encode(), 202),
    ],
)
async def test_whatever_is_posted_gets_a_plain_answer(
    browser: aiohttp.ClientSession, body: bytes, status: int
) -> None:
    response = await browser.post("/page/messages", data=body)
    assert response.status == status
    error = await response.json()
    assert status == 202 or error["error"].endswith((".", "again."))


async def test_a_controls_command_stays_quiet_and_so_does_its_answer(
    browser: aiohttp.ClientSession,
) -> None:
    async with stream(browser) as events:
        await browser.post("/page/messages", json=message("/vision off", quiet=True))
        assert (await events.until("/vision off"))["quiet"]
        assert (await events.until("Vision is now off"))["quiet"]
    assert await (await browser.get("/page/recent")).json() == []


async def test_conversations_are_listed_for_the_browser_that_had_them(
    limited_page: ServedPage, browser: aiohttp.ClientSession
) -> None:
    await browser.post("/page/messages", json=message("What a title"))
    (line,) = await (await browser.get("/page/recent")).json()
    assert (line["id"], line["title"]) == (CONVERSATION, "What a title")
    async with stranger(limited_page) as other:
        await other.get("/", params={"token": limited_page.token})
        assert await (await other.get("/page/recent")).json() == []


async def test_the_state_tells_what_is_in_force_and_what_the_page_takes(
    browser: aiohttp.ClientSession,
) -> None:
    state = await (await browser.get(f"/page/state?conversation={CONVERSATION}")).json()
    assert (state["system"], state["vision"]) == (SYSTEM, True)
    assert (state["picture_bytes"], state["upload_bytes"]) == (PHOTO_LIMIT, UPLOAD_LIMIT)
    assert (await browser.get("/page/state?conversation=..")).status == 400


# Files


async def test_an_upload_is_kept_shown_and_handed_to_the_bot(
    limited_page: ServedPage, browser: aiohttp.ClientSession, tmp_path: Path
) -> None:
    response = await upload(browser, PHOTO.read_bytes(), "Obst%20%F0%9F%8D%8E.jpg")
    assert response.status == 201
    file = await response.json()
    assert file["name"] == "Obst 🍎.jpg"
    await browser.post("/page/messages", json=message("", files=[file["ref"]]))
    picture = await browser.get(f"/page/blob/{CONVERSATION}/{file['ref']}")
    assert await picture.read() == PHOTO.read_bytes()
    assert picture.content_type == "image/jpeg"
    assert picture.headers["Content-Disposition"].startswith("inline")
    (attachment,) = limited_page.bot.accepted[0].attachments
    assert attachment.source["blob"].startswith(f"{thread_of(CONVERSATION).key}/up/")
    limits = SizeLimits(PHOTO_LIMIT, UPLOAD_LIMIT)
    await limited_page.page.channel.fetch({}, attachment, tmp_path / "got", limits)
    assert (tmp_path / "got").read_bytes() == PHOTO.read_bytes()


@pytest.mark.parametrize(
    "data",
    [b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"<!doctype html>", b""],
)
async def test_what_is_no_picture_is_a_download(
    browser: aiohttp.ClientSession, data: bytes
) -> None:
    file = await (await upload(browser, data, "photo.jpg")).json()
    response = await browser.get(f"/page/blob/{CONVERSATION}/{file['ref']}")
    assert await response.read() == data
    assert response.content_type == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]


TOO_LARGE = [
    (JPEG, PHOTO_LIMIT + 1, "It is larger than 488 KB. Please send a smaller copy."),
    (
        MP4,
        UPLOAD_LIMIT + 1,
        "It is larger than 977 KB. Please send a smaller copy or a shorter clip.",
    ),
    (PDF, PHOTO_LIMIT + 1, "Loupe cannot read this type of file (PDF document)."),
]


@pytest.mark.parametrize(("head", "size", "error"), TOO_LARGE)
async def test_a_huge_upload_is_refused(
    browser: aiohttp.ClientSession, head: bytes, size: int, error: str
) -> None:
    response = await upload(browser, head + bytes(size - len(head)))
    assert response.status == 413
    assert (await response.json())["error"].startswith(error)


@pytest.mark.parametrize(("head", "size", "error"), TOO_LARGE)
async def test_a_huge_upload_without_a_length_is_refused_while_it_comes(
    browser: aiohttp.ClientSession, tmp_path: Path, head: bytes, size: int, error: str
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield head
        for _ in range(size // 50_000 + 1):
            yield bytes(50_000)

    response = await upload(browser, endless())
    assert response.status == 413
    assert (await response.json())["error"].startswith(error)
    assert not [path for path in tmp_path.rglob("*") if "/up/" in str(path)]


async def test_an_upload_that_no_file_may_be_is_refused_by_its_header(
    limited_page: ServedPage, browser: aiohttp.ClientSession
) -> None:
    cookies = browser.cookie_jar.filter_cookies(URL(limited_page.origin))
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(limited_page.origin).port)
    head = [
        f"POST /page/files?conversation={CONVERSATION} HTTP/1.1",
        f"Host: {urlsplit(limited_page.origin).netloc}",
        *(f"Cookie: {cookie.key}={cookie.value}" for cookie in cookies.values()),
        f"Content-Length: {UPLOAD_LIMIT + 1}",
    ]
    writer.write("\r\n".join([*head, "", ""]).encode())
    async with asyncio.timeout(5):
        assert await reader.readline() == b"HTTP/1.1 413 Request Entity Too Large\r\n"
    writer.close()
    await writer.wait_closed()


async def test_a_video_is_taken_and_handed_back_in_pieces(
    browser: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs_module, "PIECE", 100_000)
    data = MP4 + bytes(UPLOAD_LIMIT - len(MP4))
    file = await (await upload(browser, data, "clip.mp4")).json()
    response = await browser.get(f"/page/blob/{CONVERSATION}/{file['ref']}")
    assert await response.read() == data
    assert response.content_length == UPLOAD_LIMIT
    head = await browser.head(f"/page/blob/{CONVERSATION}/{file['ref']}")
    assert (head.content_length, await head.read()) == (UPLOAD_LIMIT, b"")


async def test_a_file_that_goes_while_it_is_handed_out_ends_the_connection(
    browser: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def going(*_: object) -> AsyncIterator[bytes]:
        yield MP4
        raise StoreDown

    monkeypatch.setattr(BlobStore, "_pieces", going)
    file = await (await upload(browser, MP4 + bytes(1000))).json()
    response = await browser.get(f"/page/blob/{CONVERSATION}/{file['ref']}")
    with pytest.raises(aiohttp.ClientPayloadError):
        await response.read()


async def test_an_upload_that_stalls_is_told(
    browser: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stalled() -> AsyncIterator[bytes]:
        yield MP4
        await asyncio.Event().wait()

    monkeypatch.setattr(files, "IDLE_SECONDS", 0.1)
    response = await upload(browser, stalled())
    assert response.status == 408
    assert (await response.json())["error"] == "The upload stopped. Please attach the file again."


async def test_an_upload_of_one_conversation_is_no_file_of_another(
    browser: aiohttp.ClientSession,
) -> None:
    file = await (await upload(browser, b"x")).json()
    other = "b" * 32
    assert (await browser.get(f"/page/blob/{other}/{file['ref']}")).status == 404
    foreign_message = message(conversation=other, files=[file["ref"]])
    assert (await browser.post("/page/messages", json=foreign_message)).status == 410


@pytest.mark.parametrize(
    "path", [f"{CONVERSATION}/..", "../up/x", f"{CONVERSATION}/{'f' * 31}g", f"x/{'f' * 32}"]
)
async def test_a_strange_name_of_a_file_finds_nothing(
    browser: aiohttp.ClientSession, path: str
) -> None:
    assert (await browser.get(f"/page/blob/{path}")).status in {400, 404}


# Following


async def test_a_reload_in_the_middle_of_an_answer_goes_on_where_it_was(
    limited_page: ServedPage, browser: aiohttp.ClientSession
) -> None:
    limited_page.bot.held = True
    async with stream(browser) as events:
        await browser.post("/page/messages", json=message("Go on"))
        limited_page.bot.step()
        assert (await events.until("A red car"))["stage"] == "growing"
    async with stream(browser) as events:
        messages = (await events.next())["messages"]
        assert [message["text"] for message in messages] == ["Go on", "A red car "]
        limited_page.bot.step(5)
        assert "KRW 301" in (await events.until("KRW 301"))["text"]


async def test_a_lost_connection_resumes_after_the_last_event(
    limited_page: ServedPage, browser: aiohttp.ClientSession
) -> None:
    await limited_page.page.channel.post(PageAddress(CONVERSATION, "", quiet=False), Post("One"))
    async with stream(browser) as events:
        version = (await events.next())["version"]
    await limited_page.page.channel.post(PageAddress(CONVERSATION, "", quiet=False), Post("Two"))
    async with stream(browser, **{"Last-Event-ID": str(version)}) as events:
        assert [message["text"] for message in (await events.next())["messages"]] == ["Two"]


@pytest.mark.parametrize("last", ["-1", "x", "²", "9" * 400, "1e9"])
async def test_a_strange_version_means_the_beginning(
    browser: aiohttp.ClientSession, last: str
) -> None:
    await browser.post("/page/messages", json=message("Here"))
    path = f"/page/stream?conversation={CONVERSATION}"
    async with browser.get(path, params={"version": last}) as response:
        assert await Stream(response).until("Here")


async def test_what_another_process_writes_is_seen(
    limited_page: ServedPage, browser: aiohttp.ClientSession, redis: Redis, tmp_path: Path
) -> None:
    async with stream(browser) as events, serve(redis, tmp_path) as other:
        await events.next()
        address = PageAddress(CONVERSATION, "", quiet=False)
        message_id = await other.page.channel.post(address, Post("Look", Stage.GROWING))
        await events.until("Look")
        await other.page.channel.edit(address, message_id, Post("Looked from elsewhere"))
        assert (await events.until("elsewhere"))["stage"] == "final"
        assert other.token == limited_page.token


async def test_stopping_the_page_ends_its_streams(
    limited_page: ServedPage, browser: aiohttp.ClientSession
) -> None:
    async with stream(browser) as events:
        await events.next()
        await limited_page.page.before_shutdown()
        assert await events.ended()
