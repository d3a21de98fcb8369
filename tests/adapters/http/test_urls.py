"""Web addresses, and which of them are on this machine."""

from __future__ import annotations

import pytest

from adapters.http.urls import is_loopback_host, is_loopback_url, origin, parse_url


@pytest.mark.parametrize(
    "url",
    ["https://a.example/b?c#d", "http://127.0.0.1:5001", "HTTPS://A.example", "http://[::1]/"],
)
def test_an_absolute_web_address_is_read(url: str) -> None:
    assert parse_url(url) is not None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "//a.example/",
        "ftp://a.example/",
        "data:,x",
        "https:///b",
        "https://a.example:99999/",
        "https://user@a.example/",
        "https://user:secret@a.example/",
        "https://[::1/",
    ],
)
def test_everything_else_is_none(url: str) -> None:
    assert parse_url(url) is None
    assert origin(url) == ""
    assert not is_loopback_url(url)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "::1"])
def test_names_of_this_machine(host: str) -> None:
    assert is_loopback_host(host)


def test_an_ipv4_address_inside_ipv6_counts_as_itself() -> None:
    assert is_loopback_host("::ffff:127.0.0.1")
    assert not is_loopback_host("::ffff:10.0.0.1")


@pytest.mark.parametrize(
    "host", ["", "localhost.evil.example", "10.0.0.1", "0.0.0.0", "127.1", "2130706433", "::"]
)
def test_names_of_other_machines(host: str) -> None:
    assert not is_loopback_host(host)


def test_a_loopback_address_may_have_a_port_and_no_user() -> None:
    assert is_loopback_url("http://[::1]:56150/_connector")
    assert not is_loopback_url("http://localhost@evil.example/")
    assert not is_loopback_url("http://user@localhost/")


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("https://smba.trafficmanager.net/amer/v3/attachments/1") == (
        "https://smba.trafficmanager.net"
    )
    assert origin("http://127.0.0.1:5001/a?b#c") == "http://127.0.0.1:5001"
    assert origin("data:,x") == ""
