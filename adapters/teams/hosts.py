"""Which hosts may be answered with the bot's token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.http.urls import is_loopback_host, parse_url

if TYPE_CHECKING:
    from yarl import URL

    from adapters.teams.settings import TeamsSettings

CONNECTORS = frozenset(
    {
        "smba.trafficmanager.net",
        "smba.infra.gcc.teams.microsoft.com",
        "smba.infra.gov.teams.microsoft.us",
        "smba.infra.dod.teams.microsoft.us",
    }
)
"""Teams' connectors by exact name: anybody can register a name below trafficmanager.net.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
"""

CONNECTOR_DOMAINS = (".botframework.com", ".botframework.azure.us")
"""Domains of Microsoft's own, in which the other channels' connectors are."""


def is_known_connector(url: str) -> bool:
    """Return whether a web address is one of Microsoft's connectors."""
    address = parse_url(url)
    if address is None or address.scheme != "https" or address.port != 443:
        return False
    host = (address.host or "").lower()
    return host in CONNECTORS or host.endswith(CONNECTOR_DOMAINS)


class ConnectorHosts:
    """The hosts that are served: the known connectors and those the operator listed.

    Without a configured bot there is no token to leak, and only this machine is served.
    """

    def __init__(self, settings: TeamsSettings) -> None:
        self.only_local = settings.playground
        self._listed = settings.listed_hosts

    def is_connector(self, url: str) -> bool:
        """Return whether a service URL may be answered, with the bot's token if there is one."""
        address = parse_url(url)
        if address is None or not address.host:
            return False
        if self.only_local:
            return is_loopback_host(address.host)
        return is_known_connector(url) or self._is_listed(address)

    def _is_listed(self, address: URL) -> bool:
        """Match a listed host on its port or on any; without TLS only on this machine."""
        host = (address.host or "").lower()
        listed = host in self._listed or f"{host}:{address.port}" in self._listed
        return listed and (address.scheme == "https" or is_loopback_host(host))
