"""Where pictures are kept: an object store, or a folder."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from bot.settings import Section

SCHEMES = ("az", "abfs", "abfss", "s3", "gs", "memory")


class MediaSettings(Section):
    """Where pictures are kept."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_MEDIA_")

    url: SecretStr | None = Field(
        None, description="object store for pictures (az://, s3://, gs://); if unset, a folder"
    )
    seconds: float = Field(
        30, gt=0, le=600, description="longest wait for the object store, seconds"
    )

    @field_validator("url")
    @classmethod
    def _is_an_object_store(cls, url: SecretStr | None) -> SecretStr | None:
        if url and urlsplit(url.get_secret_value()).scheme not in SCHEMES:
            raise ValueError("it has to start with az://, s3:// or gs://")
        return url
