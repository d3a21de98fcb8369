"""HTTP to addresses that strangers name: never to this machine or its private networks."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

from aiohttp import (
    ClientConnectorDNSError,
    ClientSession,
    DummyCookieJar,
    InvalidURL,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from ssl import SSLContext

    from aiohttp import ClientResponse

NAT64 = IPv6Network("64:ff9b::/96")
"""IPv4 addresses within IPv6 (RFC 6052)."""
AZURE_HOST = IPv4Address("168.63.129.16")
"""A public number, yet the host service of every Azure machine:
https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
"""


class AddressRefused(Exception):
    """An address that is not to be requested; the message says why, without the address."""


class _NotAdmitted(OSError):
    """A host name that leads to an address that may not be requested."""


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to the public internet."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        inner = _inside(ip)
        if inner is not None:
            return is_public(str(inner))
        if ip.is_site_local or ip.scope_id:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip == AZURE_HOST)


def _inside(ip: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address leads to, if any."""
    if ip in NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


def is_loopback(address: str) -> bool:
    """Return whether an IP address is a loopback address."""
    return ip_address(address).is_loopback


class AdmittingResolver(AbstractResolver):
    """Resolves names for the connection itself, and to admitted addresses only."""

    def __init__(self, names: AbstractResolver, admits: Callable[[str], bool]) -> None:
        self._names = names
        self._admits = admits

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve a name; raises an `OSError` when any of its addresses is not admitted."""
        try:
            results = await self._names.resolve(host, port, family)
        except UnicodeError:
            raise OSError("not a host name") from None
        if not all(self._admits(result["host"]) for result in results):
            raise _NotAdmitted
        return results

    async def close(self) -> None:
        """Close the resolver that it asks."""
        await self._names.close()


class Guard:
    """Sends single requests: HTTPS to public addresses, or to one local origin of the caller.

    Redirects are not followed, bodies not decompressed, cookies not kept. Tests replace the public
    internet by `admits` and `names`. It has to be made while an event loop runs.
    """

    def __init__(
        self,
        *,
        admits: Callable[[str], bool] = is_public,
        names: AbstractResolver | None = None,
        ssl: SSLContext | bool = True,
    ) -> None:
        self._admits = admits
        self._outside = _session(names or DefaultResolver(), admits, ssl)
        self._inside = _session(DefaultResolver(), is_loopback, ssl)

    @asynccontextmanager
    async def request(
        self, method: str, url: str, *, local: str = "", **options: Any
    ) -> AsyncIterator[ClientResponse]:
        """Send one request and yield the response; raises `AddressRefused`, `ClientError`.

        `local` is an origin (`http://127.0.0.1:3000`) on this machine that is allowed too, without
        TLS; `options` are those of `ClientSession.request`.
        """
        address = parse(url)
        session = self._session_for(address, local)
        try:
            async with session.request(
                method, address, allow_redirects=False, **options
            ) as response:
                yield response
        except InvalidURL:
            raise AddressRefused("not a web address") from None
        except ClientConnectorDNSError as error:
            if isinstance(error.os_error, _NotAdmitted):
                raise AddressRefused("the host is not on the public internet") from None
            raise

    def _session_for(self, address: URL, local: str) -> ClientSession:
        literal = _literal(address)
        if local and str(address.origin()) == local:
            if literal and not is_loopback(literal):
                raise AddressRefused("the host is not this machine")
            return self._inside
        if address.scheme != "https":
            raise AddressRefused("not https")
        if literal and not self._admits(literal):
            raise AddressRefused("the host is not on the public internet")
        return self._outside

    async def close(self) -> None:
        """Close all connections."""
        await self._outside.close()
        await self._inside.close()


def parse(url: str) -> URL:
    """Parse a web address without changing a signed one; raises `AddressRefused`."""
    if not url.isprintable():
        raise AddressRefused("not a web address")
    try:
        address = URL(url, encoded=url.isascii() and " " not in url)
        if not address.host or address.user is not None or address.port is None:
            raise AddressRefused("not a web address")
    except ValueError:
        raise AddressRefused("not a web address") from None
    return address


def _literal(address: URL) -> str:
    """Return the host if it is an IP address, which aiohttp does not resolve; else nothing."""
    host = address.host or ""
    try:
        ip_address(host)
    except ValueError:
        return ""
    return host


def _session(
    names: AbstractResolver, admits: Callable[[str], bool], ssl: SSLContext | bool
) -> ClientSession:
    return ClientSession(
        connector=TCPConnector(resolver=AdmittingResolver(names, admits), ssl=ssl),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
    )
