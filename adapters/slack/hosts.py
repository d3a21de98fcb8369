"""Which hosts are Slack's: where files are fetched from, sent to, and answers hooked in."""

from __future__ import annotations

from adapters.http.urls import is_loopback_url, origin, parse_url

FILES = frozenset(
    {
        "files.slack.com",
        "files-origin.slack.com",
        "files.slack-gov.com",
        "files-origin.slack-gov.com",
    }
)
"""Where people's files are, by exact name; of Slack and of GovSlack.

https://docs.slack.dev/reference/objects/file-object/
https://docs.slack.dev/govslack/
"""

HOOKS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
"""Where a `response_url` leads: https://docs.slack.dev/interactivity/handling-user-interaction/"""


class SlackHosts:
    """Slack's hosts, over https; and the origin of a Slack that stands in on this machine."""

    def __init__(self, api_url: str) -> None:
        self.local = origin(api_url) if is_loopback_url(api_url) else ""

    def files(self, url: str) -> bool:
        """Return whether a file's address may see the bot's token."""
        return self._is_of(url, FILES)

    def upload(self, url: str) -> bool:
        """Return whether an `upload_url` may get a file's bytes."""
        return self._is_of(url, FILES)

    def response(self, url: str) -> bool:
        """Return whether a `response_url` may get an answer."""
        return self._is_of(url, HOOKS)

    def _is_of(self, url: str, hosts: frozenset[str]) -> bool:
        address = parse_url(url)
        if address is None:
            return False
        if self.local and str(address.origin()) == self.local:
            return True
        return address.scheme == "https" and address.port == 443 and address.host in hosts
