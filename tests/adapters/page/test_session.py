from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp.test_utils import make_mocked_request
from fakeredis import FakeAsyncRedis, FakeServer

from adapters.page.messages import MessageStore
from adapters.page.session import Session, is_own_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web


@pytest.fixture
async def store() -> AsyncIterator[MessageStore]:
    client = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
    yield MessageStore(client, 3600)
    await client.aclose()


@pytest.fixture
def session(store: MessageStore) -> Session:
    return Session(store, frozenset({"loupe.example"}))


def request(method: str = "GET", **headers: str) -> web.Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return make_mocked_request(method, "/", headers={"Host": "localhost", **named})


async def test_a_session_is_known_to_every_process(store: MessageStore, session: Session) -> None:
    cookie = await session.begin()
    elsewhere = Session(store, frozenset())
    user = await elsewhere.user(request(Cookie=f"{cookie.name}={cookie.value}"))
    assert user
    assert cookie.value.startswith(user)


async def test_every_browser_is_a_user_of_its_own(session: Session) -> None:
    users = {(await session.begin()).value.partition(".")[0] for _ in range(3)}
    assert len(users) == 3


async def test_the_cookie_does_not_hold_the_token(session: Session) -> None:
    cookie = await session.begin()
    assert await session.token() not in cookie.name + cookie.value


@pytest.mark.parametrize("change", ["x", "", "é"])
async def test_a_forged_cookie_is_nobodys(session: Session, change: str) -> None:
    cookie = await session.begin()
    user, _, proof = cookie.value.partition(".")
    forgery = [f"{user}.{proof[:-1]}{change}", f"{'0' * 32}.{proof}", user, f".{proof}", change]
    for value in forgery:
        assert await session.user(request(Cookie=f"{cookie.name}={value}")) == ""
    assert await session.user(request()) == ""


async def test_another_token_ends_all_sessions(session: Session) -> None:
    client = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
    other = Session(MessageStore(client, 3600), frozenset())
    cookie = await other.begin()
    mine = await session.begin()
    assert await session.user(request(Cookie=f"{mine.name}={cookie.value}")) == ""
    await client.aclose()


@pytest.mark.parametrize("offered", ["", "wrong", "é", "\udcff", "x" * 10_000])
async def test_only_the_token_opens(session: Session, offered: str) -> None:
    assert not await session.accepts(offered)
    assert await session.accepts(await session.token())


@pytest.mark.parametrize(
    ("host", "netloc"),
    [
        ("127.0.0.1", "http://127.0.0.1:3978/?token="),
        ("", "http://127.0.0.1:3978/?token="),
        ("0.0.0.0", "http://127.0.0.1:3978/?token="),
        ("::", "http://127.0.0.1:3978/?token="),
        ("::1", "http://[::1]:3978/?token="),
        ("box.example", "http://box.example:3978/?token="),
    ],
)
async def test_the_printed_address_can_be_opened(session: Session, host: str, netloc: str) -> None:
    address = await session.address(host, 3978)
    assert address == netloc + await session.token()
    name = address.removeprefix("http://").partition("/")[0]
    assert session.allows_host(request(Host=name))


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8080", "127.0.0.1:3978", "127.9.9.9", "[::1]:3978", "a.localhost"],
)
async def test_loopback_names_are_known(session: Session, host: str) -> None:
    assert session.allows_host(request(Host=host))
    assert session.allows_host(request(Host="Loupe.Example"))


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example@localhost.evil",
        "192.168.1.10",
        "[::ffff:8.8.8.8]",
        "[bad",
        "notlocalhost",
    ],
)
async def test_names_that_others_may_point_here_are_not(session: Session, host: str) -> None:
    assert not session.allows_host(request(Host=host))


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"Sec_Fetch_Site": "same-origin"}, True),
        ({"Sec_Fetch_Site": "same-site"}, False),
        ({"Sec_Fetch_Site": "cross-site", "Origin": "http://localhost"}, False),
        ({"Sec_Fetch_Site": "none"}, False),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "http://localhost:81"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://[bad"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({}, True),
    ],
)
def test_changes_are_taken_from_the_page_itself_only(headers: dict[str, str], own: bool) -> None:
    assert is_own_request(request("POST", **headers)) is own
