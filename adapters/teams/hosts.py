"""The hosts to which the bot's token may be sent."""

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
"""Teams' connectors by exact name, as anybody can register a name below trafficmanager.net.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages
"""

CONNECTOR_DOMAINS = (".botframework.com", ".botframework.azure.us")
"""Microsoft's own domains, which have the connectors of the other channels."""


def is_known_connector(url: str) -> bool:
    """Return whether a URL is that of one of Microsoft's connectors."""
    parts = parse_url(url)
    if parts is None or parts.scheme != "https" or parts.port != 443:
        return False
    host = (parts.host or "").lower()
    return host in CONNECTORS or host.endswith(CONNECTOR_DOMAINS)


class ConnectorHosts:
    """The connectors that are answered: the known ones and those that the operator listed.

    While no bot is configured, there is no token to leak, and only this machine is answered.
    """

    def __init__(self, settings: TeamsSettings) -> None:
        self.only_local = settings.playground
        self._operator_hosts = settings.listed_hosts

    def is_connector(self, url: str) -> bool:
        """Return whether a service URL may be answered, with the bot's token if there is one."""
        parts = parse_url(url)
        if parts is None or not parts.host:
            return False
        if self.only_local:
            return is_loopback_host(parts.host)
        return is_known_connector(url) or self._is_listed(parts)

    def _is_listed(self, url: URL) -> bool:
        """Return whether the operator listed a host, with this port or with none.

        Without TLS only this machine is accepted.
        """
        host = (url.host or "").lower()
        if {host, f"{host}:{url.port}"}.isdisjoint(self._operator_hosts):
            return False
        return url.scheme == "https" or is_loopback_host(host)
