"""Settings of the local page."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from adapters.chat.declaration import Connection
from bot.settings import Section, listed


class PageSettings(Section):
    """When the page is served, and under which host names."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    page: Literal["on", "off"] | None = Field(
        None,
        description="the local page: on or off; if unset, on while no other channel is configured",
    )
    page_hosts: str = Field(
        "", description="more host names under which the page may be opened, comma separated"
    )

    @property
    def connection(self) -> Connection:
        """Whether the page is served; if unset, only while no platform is connected."""
        if self.page is None:
            return Connection.FALLBACK
        return Connection.LOCAL if self.page == "on" else Connection.OFF

    @property
    def hosts(self) -> frozenset[str]:
        """The names of `page_hosts`, in lower case."""
        return frozenset(listed(self.page_hosts.lower()))
