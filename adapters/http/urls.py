"""Web addresses that strangers name: their origin, and whether they lead to this machine."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from yarl import URL


def parse_url(url: str) -> URL | None:
    """Parse an absolute web address as aiohttp does; None for others, and with user info."""
    try:
        address = URL(url)
        if address.scheme not in {"http", "https"} or not address.host or address.port is None:
            return None
    except ValueError:
        return None
    return address if address.raw_user is None and address.raw_password is None else None


def origin(url: str) -> str:
    """Return scheme, host and port of a web address; empty if it is none."""
    address = parse_url(url)
    return str(address.origin()) if address else ""


def is_loopback_host(host: str) -> bool:
    """Return whether a host name or IP address, without a port, means this machine."""
    if host.lower() == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def is_loopback_url(url: str) -> bool:
    """Return whether a web address is on this machine."""
    address = parse_url(url)
    return address is not None and is_loopback_host(address.host or "")
