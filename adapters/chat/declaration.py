"""The declaration of a channel, the services that it gets, and what it returns when opened.

Whoever adds a channel writes one `ChannelDeclaration`. The composition root, `loupe doctor`, the
list of settings, the table of capabilities and the guard against forged channel names read it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from redis.asyncio import Redis

from adapters.http.download import DownloadSettings
from bot.checks import Check
from bot.domain.command_grammar import CommandGrammar
from bot.domain.messages import Address
from bot.domain.preferences import EffectiveSettings
from bot.domain.threads import Thread
from bot.limits import Limits
from bot.ports.blobs import Blobs
from bot.ports.channel import Capabilities, Channel
from bot.settings import Section, Sections

if TYPE_CHECKING:
    from bot.domain.messages import Message

Accept = Callable[["Message"], Awaitable[bool]]
"""Stores a message and returns whether it was accepted; raises `StoreDown`."""


AddressReader = Callable[[Mapping[str, Any]], Address]
"""Returns an address from its stored fields, written by 0.4.0 or later.

Raises `pydantic.ValidationError`.
"""


class Connection(StrEnum):
    """How a channel is connected, as its settings say."""

    OFF = "off"
    """It is not configured."""
    FALLBACK = "fallback"
    """It serves this machine, but only while no platform is connected."""
    LOCAL = "local"
    """It serves programs on this machine."""
    SOCKET = "socket"
    """Its platform delivers through a socket that Loupe opens."""
    WEBHOOK = "webhook"
    """Its platform delivers by HTTP; so may strangers."""

    @property
    def to_platform(self) -> bool:
        """Whether there are credentials for a chat platform."""
        return self in {Connection.SOCKET, Connection.WEBHOOK}


@dataclass(frozen=True, slots=True)
class ChannelServices:
    """The services that every channel gets when it is opened.

    `other_names` are the names of the other channels, which a gateway must refuse; `models` are the
    deployments that people may choose from; `spool` is a folder for temporary files.
    """

    accept: Accept
    blobs: Blobs
    redis: Redis
    downloads: DownloadSettings
    limits: Limits
    grammar: CommandGrammar
    settings_in_effect: Callable[[Thread], Awaitable[EffectiveSettings]]
    models: tuple[str, ...]
    spool: Path
    other_names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RunningChannel:
    """A channel that is open.

    `path` is where its platform delivers by HTTP, empty where it does not; `link` returns the
    address that people open in a browser, given host and port; `before_shutdown` ends the
    responses for which the server would wait.
    """

    channel: Channel
    routes: Sequence[web.RouteDef] = ()
    path: str = ""
    link: Callable[[str, int], Awaitable[str]] | None = None
    before_shutdown: Callable[[], Awaitable[None]] | None = None


def _no_checks(_: Sections) -> Iterable[Check]:
    return ()


@dataclass(frozen=True, slots=True)
class ChannelDeclaration:
    """A channel: its name in threads, its title for people, and all that belongs to it.

    `places` are the kinds of places it has, with what can be done in each. A `gateway` also
    carries the channels of every name that nobody declared; there is one at most.
    """

    name: str
    title: str
    places: Mapping[str, Capabilities]
    connection: Callable[[Sections], Connection]
    read_address: AddressReader
    open: Callable[[Sections, ChannelServices], AbstractAsyncContextManager[RunningChannel]]
    sections: tuple[type[Section], ...] = ()
    checks: Callable[[Sections], Iterable[Check]] = _no_checks
    gateway: bool = False
