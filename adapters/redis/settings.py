"""Settings of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from bot.settings import Section

if TYPE_CHECKING:
    from urllib.parse import SplitResult

SCHEMES = ("redis", "rediss", "unix")


class RedisSettings(Section):
    """Where the store is, and how long Loupe waits for it."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_REDIS_")

    url: SecretStr | None = Field(
        None,
        validation_alias="REDIS_URL",
        description="Redis server, rediss:// with TLS; if unset, an embedded one",
    )
    connections: int = Field(64, ge=2, description="most connections to Redis in one process")
    connect_seconds: float = Field(
        2, gt=0, le=60, description="longest wait for a connection to Redis, seconds"
    )
    reply_seconds: float = Field(
        5, gt=0, le=60, description="longest wait for a reply from Redis, seconds"
    )
    idle_seconds: float = Field(
        30,
        ge=0,
        le=3600,
        description="a connection idle for this long is tested before use, seconds",
    )
    accept_seconds: float = Field(
        1.5,
        gt=0,
        le=10,
        description="if storing a message takes longer, the platform delivers it again, seconds",
    )

    @field_validator("url")
    @classmethod
    def _is_a_redis_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None:
            return None
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in SCHEMES:
            raise ValueError("it has to start with redis://, rediss:// or unix://")
        if not (parts.path if parts.scheme == "unix" else parts.hostname):
            raise ValueError("it names no server")
        if not _has_usable_port(parts):
            raise ValueError("its port has to be a number up to 65535")
        return url


def _has_usable_port(parts: SplitResult) -> bool:
    """Return whether the port is a number; an error of urllib could quote a password."""
    try:
        return parts.port != 0
    except ValueError:
        return False
