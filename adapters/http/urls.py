"""Web addresses that strangers name: what they lead to, and which are this machine."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from yarl import URL


def parsed(url: str) -> URL | None:
    """Read an absolute web address as aiohttp would; None for all others and for user info."""
    try:
        address = URL(url)
        if address.scheme not in {"http", "https"} or not address.host or address.port is None:
            return None
    except ValueError:
        return None
    return address if address.raw_user is None and address.raw_password is None else None


def origin(url: str) -> str:
    """Name scheme, host and port of a web address; empty when it is none."""
    address = parsed(url)
    return str(address.origin()) if address else ""


def is_loopback_host(host: str) -> bool:
    """Tell whether a host name or IP address without a port means this machine."""
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
    """Tell whether a web address is on this machine."""
    address = parsed(url)
    return address is not None and is_loopback_host(address.host or "")
