"""Who may use the page: the token of the printed address, then a cookie, on allowed hosts."""

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

    from adapters.page.messages import MessageStore

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
"""Headers of every response, unless it sets one itself."""

USER = re.compile(r"[0-9a-f]{32}")
ANY_ADDRESS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104


@dataclass(frozen=True, slots=True)
class Cookie:
    """The cookie of a session; its value proves that the token was known, without containing it."""

    name: str
    value: str


class Session:
    """Opens the page to those who know its token."""

    def __init__(self, messages: MessageStore, hosts: frozenset[str]) -> None:
        self._messages = messages
        self._hosts = set(hosts)
        self._token = ""

    async def token(self) -> str:
        """Return the token of the printed address; raises `StoreDown`."""
        if not self._token:
            self._token = await self._messages.token()
        return self._token

    async def accepts(self, token: str) -> bool:
        """Return whether this is the token, compared in constant time; raises `StoreDown`."""
        return _equal(token, await self.token())

    async def begin(self) -> Cookie:
        """Return the cookie of a new session; raises `StoreDown`."""
        token, user = await self.token(), secrets.token_hex(16)
        return Cookie(_cookie_name(token), f"{user}.{_proof(token, user)}")

    async def user(self, request: web.Request) -> str:
        """Return the id of the user by the cookie, empty without one; raises `StoreDown`."""
        token = await self.token()
        user, _, proof = request.cookies.get(_cookie_name(token), "").partition(".")
        if not USER.fullmatch(user):
            return ""
        return user if _equal(proof, _proof(token, user)) else ""

    async def address(self, host: str, port: int) -> str:
        """Return the address to print, with the token; its host is allowed from now on."""
        if host in ANY_ADDRESS:
            host = "127.0.0.1"
        self._hosts.add(host.lower())
        netloc = f"[{host}]" if ":" in host else host
        return f"http://{netloc}:{port}/?token={await self.token()}"

    def allows_host(self, request: web.Request) -> bool:
        """Return whether the request names an allowed host, which stops DNS rebinding."""
        name = _host_name(request.headers.get("Host", ""))
        return name in self._hosts or _is_loopback(name)


def _cookie_name(token: str) -> str:
    """Return a name derived from the token, as cookies are shared by all ports of a host."""
    return f"loupe_{hashlib.sha256(token.encode()).hexdigest()[:8]}"


def _proof(token: str, user: str) -> str:
    return hmac.new(token.encode(), f"page:{user}".encode(), hashlib.sha256).hexdigest()


def _equal(candidate: str, secret: str) -> bool:
    """Compare in constant time; a candidate from outside may hold any characters."""
    return hmac.compare_digest(candidate.encode(errors="replace"), secret.encode())


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
    """Return whether a POST request comes from the page itself and not from another site.

    Browsers send `Sec-Fetch-Site` or at least `Origin`; a client that sends neither is no browser.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("Host", "")
