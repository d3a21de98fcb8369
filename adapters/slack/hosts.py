"""The hosts of Slack for files, uploads and response URLs."""

from __future__ import annotations

from adapters.http.urls import is_loopback_url, origin, parse_url

FILE_HOSTS = frozenset(
    {
        "files.slack.com",
        "files-origin.slack.com",
        "files.slack-gov.com",
        "files-origin.slack-gov.com",
    }
)
"""The file hosts of Slack and GovSlack, as exact names.

https://docs.slack.dev/reference/objects/file-object/
https://docs.slack.dev/govslack/
"""

RESPONSE_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
"""The hosts of a `response_url`: https://docs.slack.dev/interactivity/handling-user-interaction/"""


class SlackHosts:
    """Slack's hosts, over https, and the origin of a simulated Slack on this machine."""

    def __init__(self, api_url: str) -> None:
        self.local = origin(api_url) if is_loopback_url(api_url) else ""

    def files(self, url: str) -> bool:
        """Return whether the URL of a file may get the bot's token."""
        return self._is_of(url, FILE_HOSTS)

    def upload(self, url: str) -> bool:
        """Return whether an `upload_url` may get a file's bytes."""
        return self._is_of(url, FILE_HOSTS)

    def response(self, url: str) -> bool:
        """Return whether a `response_url` may get an answer."""
        return self._is_of(url, RESPONSE_HOSTS)

    def _is_of(self, url: str, hosts: frozenset[str]) -> bool:
        address = parse_url(url)
        if address is None:
            return False
        if self.local and str(address.origin()) == self.local:
            return True
        return address.scheme == "https" and address.port == 443 and address.host in hosts
