"""The channels of this bot: which there are, and how those that are configured are opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from adapters.chat.declaration import ChannelDeclaration, Connection
from adapters.page.build import DECLARATION as PAGE
from adapters.slack.build import DECLARATION as SLACK
from adapters.teams.build import DECLARATION as TEAMS
from bot.domain.threads import TERMINAL
from bot.ports.disabled_channel import DisabledChannel
from bot.settings import Sections

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AsyncExitStack

    from aiohttp import web

    from adapters.chat.declaration import ChannelServices, RunningChannel
    from bot.domain.messages import Address
    from bot.ports.channel import Channel
    from bot.settings import Section

CHANNELS: tuple[ChannelDeclaration, ...] = (TEAMS, SLACK, PAGE)

RESERVED_NAMES = frozenset({TERMINAL})
"""Names in threads that no channel has, so that no gateway may bring them."""


class ChannelDirectory(dict[str, "Channel"]):
    """The channels by name; a name that is not in it is the gateway's, if there is one."""

    gateway: Channel | None = None

    def __missing__(self, name: str) -> Channel:
        return self.gateway or DisabledChannel(name)


class _ServedChannel(NamedTuple):
    declaration: ChannelDeclaration
    connection: Connection
    running: RunningChannel


@dataclass(frozen=True, slots=True)
class ConfiguredChannels:
    """The declared channels with their settings."""

    declarations: Sequence[ChannelDeclaration]
    sections: Sections

    @property
    def by_webhook(self) -> bool:
        """Whether a platform delivers by HTTP: then strangers may call, too."""
        return Connection.WEBHOOK in self._connections

    @property
    def to_platform(self) -> bool:
        """Whether any chat platform is connected."""
        return any(connection.to_platform for connection in self._connections)

    @property
    def _connections(self) -> tuple[Connection, ...]:
        return tuple(declaration.connection(self.sections) for declaration in self.declarations)

    def connection(self, declaration: ChannelDeclaration) -> Connection:
        """Return how a channel is connected, with `FALLBACK` decided."""
        connection = declaration.connection(self.sections)
        if connection is Connection.FALLBACK:
            return Connection.OFF if self.to_platform else Connection.LOCAL
        return connection

    def read_address(self, channel: str, fields: Mapping[str, Any]) -> Address:
        """Make an address of a channel of what was stored of it; also of an undeclared one.

        Raises `pydantic.ValidationError`.
        """
        by_name = {declaration.name: declaration for declaration in self.declarations}
        gateway = next((one for one in self.declarations if one.gateway), None)
        declaration = by_name.get(channel, gateway)
        return declaration.read_address(fields) if declaration else fields

    def names_of_others(self, declaration: ChannelDeclaration) -> frozenset[str]:
        """Return the names that are reserved for other channels, whether configured or not."""
        names = {other.name for other in self.declarations if other is not declaration}
        return RESERVED_NAMES | names


class ChannelServer:
    """Opens the configured channels into a directory, and mounts their routes."""

    def __init__(
        self, configured: ConfiguredChannels, directory: ChannelDirectory, web_app: web.Application
    ) -> None:
        self._configured = configured
        self._directory = directory
        self._web_app = web_app
        self._served_channels: list[_ServedChannel] = []

    async def open(self, services: ChannelServices, stack: AsyncExitStack) -> None:
        """Open all channels, which `stack` closes; raises `StoreDown`."""
        for declaration in self._configured.declarations:
            connection = self._configured.connection(declaration)
            if connection is Connection.OFF:
                self._directory[declaration.name] = DisabledChannel(declaration.name)
                continue
            own = replace(services, other_names=self._configured.names_of_others(declaration))
            running = await stack.enter_async_context(
                declaration.open(self._configured.sections, own)
            )
            self._serve(_ServedChannel(declaration, connection, running))

    def _serve(self, served_channel: _ServedChannel) -> None:
        self._served_channels.append(served_channel)
        channel, before_shutdown = (
            served_channel.running.channel,
            served_channel.running.before_shutdown,
        )
        self._directory[served_channel.declaration.name] = channel
        if served_channel.declaration.gateway:
            self._directory.gateway = channel
        self._web_app.add_routes(served_channel.running.routes)
        if before_shutdown is not None:
            self._web_app.on_shutdown.append(lambda _: before_shutdown())

    async def ready_line(self, host: str, port: int) -> str:
        """Return the line to print at the start: where people or platforms reach the bot.

        Raises `StoreDown`.
        """
        for channel in self._served_channels:
            if channel.running.link is not None:
                return f"Loupe is ready: {await channel.running.link(host, port)}"
        line = f"Loupe is ready at http://{host}:{port}"
        first = next(
            iter(sorted(self._served_channels, key=lambda one: not one.connection.to_platform)),
            None,
        )
        if first is None:
            return line
        if first.connection is Connection.SOCKET:
            return f"{line} and hears {first.declaration.title} over a socket"
        return line + first.running.path


def section_classes(declarations: Sequence[ChannelDeclaration]) -> list[type[Section]]:
    """List the sections of settings that channels declare."""
    return [section for declaration in declarations for section in declaration.sections]
