"""Who may use the page: the token of its printed address, then a cookie; and from where."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from aiohttp import web

    from adapters.page.notes_store import NotesStore

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Headers of every answer of the page, unless it sets one itself."""

USER = re.compile(r"[0-9a-f]{32}")
ANY_ADDRESS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104


@dataclass(frozen=True, slots=True)
class Cookie:
    """A session as the browser keeps it; the value proves the token without holding it."""

    name: str
    value: str


class Session:
    """Opens the page to those who know its token."""

    def __init__(self, wall: NotesStore, hosts: frozenset[str]) -> None:
        self._wall = wall
        self._hosts = set(hosts)
        self._token = ""

    async def token(self) -> str:
        """Return the token of the printed address; raises `StoreDown`."""
        if not self._token:
            self._token = await self._wall.token()
        return self._token

    async def opens(self, offered: str) -> bool:
        """Return whether this is the token, in constant time; raises `StoreDown`."""
        return _equal(offered, await self.token())

    async def begin(self) -> Cookie:
        """Make a session for a new browser; raises `StoreDown`."""
        token, user = await self.token(), secrets.token_hex(16)
        return Cookie(_cookie_name(token), f"{user}.{_proof(token, user)}")

    async def user(self, request: web.Request) -> str:
        """Return the id of the user whose browser this is, or nothing; raises `StoreDown`."""
        token = await self.token()
        user, _, proof = request.cookies.get(_cookie_name(token), "").partition(".")
        if not USER.fullmatch(user):
            return ""
        return user if _equal(proof, _proof(token, user)) else ""

    async def address(self, host: str, port: int) -> str:
        """Return the address to print, with the token; its host is served from now on."""
        if host in ANY_ADDRESS:
            host = "127.0.0.1"
        self._hosts.add(host.lower())
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{port}/?token={await self.token()}"

    def knows_host(self, request: web.Request) -> bool:
        """Return whether the request names this machine; a rebound DNS name does not."""
        name = _host_name(request.headers.get("Host", ""))
        return name in self._hosts or _is_loopback(name)


def _cookie_name(token: str) -> str:
    """Name the cookie after the token: browsers do not keep the ports of a host apart."""
    return f"loupe_{hashlib.sha256(token.encode()).hexdigest()[:8]}"


def _proof(token: str, user: str) -> str:
    return hmac.new(token.encode(), f"page:{user}".encode(), hashlib.sha256).hexdigest()


def _equal(offered: str, right: str) -> bool:
    """Compare in constant time what a stranger sent, whatever characters it holds."""
    return hmac.compare_digest(offered.encode(errors="replace"), right.encode())


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_own_request(request: web.Request) -> bool:
    """Return whether a changing request comes from the page itself and not from another site.

    Browsers send `Sec-Fetch-Site` or at least `Origin`; what sends neither is no browser.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("Host", "")
