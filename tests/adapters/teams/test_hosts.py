"""The hosts to which the bot's token may be sent."""

from __future__ import annotations

import pytest

from adapters.teams.hosts import ConnectorHosts, is_known_connector
from adapters.teams.settings import TeamsSettings

CONNECTOR_URLS = [
    "https://smba.trafficmanager.net/amer/",
    "https://SMBA.trafficmanager.net/teams",
    "https://smba.trafficmanager.net:443/emea/",
    "https://smba.infra.gcc.teams.microsoft.com/teams",
    "https://smba.infra.gov.teams.microsoft.us/teams",
    "https://smba.infra.dod.teams.microsoft.us/teams",
    "https://webchat.botframework.com/",
    "https://europe.directline.botframework.com/",
]
STRANGERS = [
    "http://smba.trafficmanager.net/amer/",
    "https://smba.trafficmanager.net:8443/",
    "https://evil.trafficmanager.net/",
    "https://smba.trafficmanager.net.evil.example/",
    "https://smba.trafficmanager.net./",
    "https://smba.trafficmanager.net@evil.example/",
    "https://user@smba.trafficmanager.net/",
    "https://user:secret@smba.trafficmanager.net/",
    "https://evil.example\\@smba.trafficmanager.net/",
    "https://evil.example#@smba.trafficmanager.net/",
    "https://evil.example?.botframework.com",
    "https://notbotframework.com/",
    "https://botframework.com.evil.example/",
    "https://127.0.0.1/",
    "ftp://smba.trafficmanager.net/",
    "//smba.trafficmanager.net/",
    "smba.trafficmanager.net",
    "https:///",
    "https://smba.trafficmanager.net:99999/",
    "",
]


def hosts(*connectors: str) -> ConnectorHosts:
    return ConnectorHosts(
        TeamsSettings(app_id="app", app_password="secret", connector_hosts=",".join(connectors))
    )


@pytest.mark.parametrize("url", CONNECTOR_URLS)
def test_microsofts_connectors_are_served(url: str) -> None:
    assert is_known_connector(url)
    assert hosts().is_connector(url)


@pytest.mark.parametrize("url", STRANGERS)
def test_anybody_elses_hosts_are_not(url: str) -> None:
    assert not is_known_connector(url)
    assert not hosts("connector.example").is_connector(url)


def test_a_listed_host_is_served_on_every_port_but_not_without_tls() -> None:
    connectors = hosts("Connector.Example")
    assert connectors.is_connector("https://connector.example/x")
    assert connectors.is_connector("https://connector.example:8443/x")
    assert not connectors.is_connector("http://connector.example/x")
    assert not connectors.is_connector("https://sub.connector.example/x")


def test_a_host_listed_with_its_port_is_served_on_that_port_alone() -> None:
    connectors = hosts("127.0.0.1:5001")
    assert connectors.is_connector("http://127.0.0.1:5001/")
    assert not connectors.is_connector("http://127.0.0.1:5002/")


def test_without_a_bot_only_this_machine_is_served() -> None:
    playground = ConnectorHosts(TeamsSettings(connector_hosts="connector.example"))
    assert playground.is_connector("http://127.0.0.1:56150/_connector")
    assert not playground.is_connector("https://smba.trafficmanager.net/amer/")
    assert not playground.is_connector("https://connector.example/")
