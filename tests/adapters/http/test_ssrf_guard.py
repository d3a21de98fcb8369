"""Addresses that strangers name: which are asked, and which never are."""

from __future__ import annotations

import socket

import pytest
from aiohttp import ClientConnectorDNSError, web
from aiohttp.abc import AbstractResolver
from aiohttp.test_utils import TestServer

from adapters.http.ssrf_guard import AddressRefused, Guard, is_public, parse
from tests.helpers.teams_connector import close_after

PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_of_the_public_internet(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "52.112.0.1", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"]
)
def test_addresses_of_the_public_internet(address):
    assert is_public(address)


class Names(AbstractResolver):
    """A DNS of the test: each lookup of a name takes the next of its answers."""

    def __init__(self, **answers):
        self.answers = {name.replace("_", "."): list(ips) for name, ips in answers.items()}
        self.asked = []

    async def resolve(self, host, port=0, family=socket.AF_INET):
        self.asked.append(host)
        ips = self.answers[host]
        ip = ips.pop(0) if len(ips) > 1 else ips[0]
        return [
            {"hostname": host, "host": one, "port": port, "family": family, "proto": 0, "flags": 0}
            for one in ip.split(",")
        ]

    async def close(self):
        pass


@pytest.fixture
async def inner():
    """A service on this machine that nobody outside may reach; `hits` are its requests."""
    hits = []

    async def hit(request):
        hits.append(request.path)
        return web.Response(text="secret")

    app = web.Application()
    app.router.add_get("/{rest:.*}", hit)
    async with TestServer(app) as server:
        server.hits = hits
        yield server


@pytest.mark.parametrize("address", PRIVATE)
async def test_no_request_to_a_private_address(address):
    host = f"[{address}]" if ":" in address else address
    async with close_after(Guard()) as guard:
        with pytest.raises(AddressRefused):
            async with guard.request("GET", f"https://{host}/"):
                pass


@pytest.mark.parametrize("ips", ["127.0.0.1", "1.1.1.1,127.0.0.1", "::1", "169.254.169.254"])
async def test_no_request_to_a_name_with_a_private_address(ips):
    async with close_after(Guard(names=Names(rebound_test=[ips]))) as guard:
        with pytest.raises(AddressRefused):
            async with guard.request("GET", "https://rebound.test/"):
                pass


async def test_a_name_that_changes_between_lookups_leads_nowhere(inner):
    names = Names(rebound_test=["127.0.0.1"])
    async with close_after(Guard(names=names)) as guard:
        for _ in range(2):
            with pytest.raises(AddressRefused):
                async with guard.request("GET", f"https://rebound.test:{inner.port}/"):
                    pass
    assert names.asked == ["rebound.test"] * 2
    assert inner.hits == []


@pytest.mark.parametrize(
    "spelling",
    ["localhost", "LOCALHOST.", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0", "[::1]"],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_other_spellings_of_this_machine(inner, scheme, spelling):
    async with close_after(Guard()) as guard:
        with pytest.raises((AddressRefused, ClientConnectorDNSError)):
            async with guard.request("GET", f"{scheme}://{spelling}:{inner.port}/"):
                pass
    assert inner.hits == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/path",
        "https://",
        "https:///path",
        "file:///etc/passwd",
        "ftp://example.com/a",
        "gopher://example.com/",
        "data:text/plain,a",
        "javascript:alert(1)",
        "http://example.com/",
        "https://user:password@example.com/",
        "https://example.com:99999/",
        "https://[::1/",
        "https://exa\nmple.com/",
        "https://1.1.1.1 @127.0.0.1/",
    ],
)
async def test_what_is_no_https_address_is_refused(url):
    async with close_after(Guard()) as guard:
        with pytest.raises(AddressRefused):
            async with guard.request("GET", url):
                pass


async def test_the_named_local_origin_may_be_asked_without_tls(inner):
    local = f"http://127.0.0.1:{inner.port}"
    async with close_after(Guard()) as guard:
        async with guard.request("GET", f"{local}/a", local=local) as response:
            assert await response.text() == "secret"
        for other in (f"http://127.0.0.1:{inner.port + 1}/", f"http://[::1]:{inner.port}/"):
            with pytest.raises(AddressRefused):
                async with guard.request("GET", other, local=local):
                    pass


async def test_a_local_origin_that_is_not_on_this_machine_is_refused():
    async with close_after(Guard()) as guard:
        with pytest.raises(AddressRefused):
            async with guard.request("GET", "http://10.0.0.1/a", local="http://10.0.0.1"):
                pass


def test_a_signed_address_is_not_changed():
    signed = "https://files.example/a%20b/c?tempauth=v1.%7EaB%2Bc%2Fd%3D&x=1+2"
    assert str(parse(signed)) == signed


def test_an_address_beyond_ascii_is_quoted():
    assert str(parse("https://files.example/schöne bilder/1.jpg")) == (
        "https://files.example/sch%C3%B6ne%20bilder/1.jpg"
    )
