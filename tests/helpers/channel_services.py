"""What a channel is given when a test opens it by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fakeredis import FakeAsyncRedis, FakeServer

from adapters.blobs.in_place import InPlaceBlobs
from adapters.chat.declaration import ChannelServices
from adapters.http.download import DownloadSettings
from bot.channels import CHANNELS, ConfiguredChannels
from bot.commands.registry import GRAMMAR
from bot.domain.preferences import EffectiveSettings
from bot.settings import Sections
from tests.helpers.limits import limits_of

if TYPE_CHECKING:
    from bot.domain.threads import Thread

MODELS = ("gpt-4o", "gpt-4.1-mini")
OTHER_NAMES = ConfiguredChannels(CHANNELS, Sections()).names_of_others(CHANNELS[0])
"""The names that the Bot Framework may not bring."""


async def _settings_in_effect(_: Thread) -> EffectiveSettings:
    return EffectiveSettings("Be kind.", MODELS[0], vision=True)


def services_of(accept: Any, **changes: Any) -> ChannelServices:
    """Make services that keep everything in memory, but what a test changes."""
    values: dict[str, Any] = {
        "blobs": InPlaceBlobs(),
        "redis": FakeAsyncRedis(server=FakeServer(), decode_responses=True),
        "downloads": DownloadSettings(),
        "limits": limits_of(),
        "grammar": GRAMMAR,
        "settings_in_effect": _settings_in_effect,
        "models": MODELS,
        "spool": Path(),
    }
    return ChannelServices(accept=accept, **{**values, **changes})
