"""Who is served while no bot is configured: the playground or Emulator on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.http.urls import is_loopback_host, is_loopback_url

if TYPE_CHECKING:
    from aiohttp import web

FORWARDED = frozenset(
    {
        "cf-connecting-ip",
        "client-ip",
        "forwarded",
        "true-client-ip",
        "via",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-original-host",
        "x-real-ip",
    }
)
"""What proxies and tunnels add, beside everything that begins with `x-forwarded`."""


def refusal(request: web.BaseRequest) -> str:
    """Say why a request is not from a program on this machine; empty when it is.

    A web page in the user's browser comes from this machine too: its `Origin` gives it away, or
    the `Host` that its name was rebound from.
    """
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if not isinstance(peer, tuple) or not is_loopback_host(str(peer[0])):
        return "the sender is not on this machine"
    if not is_loopback_url(f"http://{request.headers.get('Host', '')}"):
        return "the Host header does not name this machine"
    if "Origin" in request.headers:
        return "a web page sent it"
    if any(_tells_of_proxy(header) for header in request.headers):
        return "a proxy or tunnel passed it on"
    return ""


def _tells_of_proxy(header: str) -> bool:
    return header.lower() in FORWARDED or header.lower().startswith("x-forwarded")
