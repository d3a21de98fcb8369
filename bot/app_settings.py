"""All settings of the application, section by section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.blobs.settings import MediaSettings
from adapters.http.download import DownloadSettings
from adapters.models.settings import ModelSettings
from adapters.redis.settings import RedisSettings
from adapters.vision.settings import VisionSettings
from bot.channels import (
    CHANNELS,
    ConfiguredChannels,
    section_classes,
)
from bot.domain.preferences import Deployment
from bot.limits import Limits
from bot.settings import Core, Section, Sections
from bot.settings_reader import load, load_limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.chat.declaration import ChannelDeclaration


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, section by section."""

    core: Core
    limits: Limits
    redis: RedisSettings
    media: MediaSettings
    model: ModelSettings
    vision: VisionSettings
    downloads: DownloadSettings
    channels: ConfiguredChannels

    @property
    def sections(self) -> tuple[Section, ...]:
        """The sections in the order they are listed."""
        return (
            *self.channels.sections,
            self.model,
            self.vision,
            self.redis,
            self.media,
            self.core,
            *self.limits.sections,
            self.downloads,
        )

    @property
    def host(self) -> str:
        """The address to listen on: loopback only while no platform delivers by HTTP."""
        default = "0.0.0.0" if self.channels.by_webhook else "127.0.0.1"  # noqa: S104
        return self.core.host or default

    @property
    def deployment(self) -> Deployment:
        """What whoever runs Loupe has set for all conversations."""
        return Deployment(
            system=self.core.system_message,
            models=tuple(choice.name for choice in self.model.choices),
            families={choice.name: choice.family for choice in self.model.choices},
            offline=self.model.offline,
        )


def read_settings(declarations: Sequence[ChannelDeclaration] = CHANNELS) -> Settings:
    """Read everything; raises `SettingsError` with one sentence."""
    sections = Sections(load(section) for section in section_classes(declarations))
    return Settings(
        core=load(Core),
        limits=load_limits(),
        redis=load(RedisSettings),
        media=load(MediaSettings),
        model=load(ModelSettings),
        vision=load(VisionSettings),
        downloads=load(DownloadSettings),
        channels=ConfiguredChannels(declarations, sections),
    )
