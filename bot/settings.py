"""What settings are made of: sections, which name their environment variables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ENV_FILE = ".env"
MIB = 1024 * 1024


class SettingsError(Exception):
    """A setting that stops the start; its text is one sentence for the operator."""


def listed(value: str) -> list[str]:
    """Read a comma separated list, without spaces and empty places."""
    return [name.strip() for name in value.split(",") if name.strip()]


def _web_address(value: str) -> str:
    try:
        url = URL(value)
    except ValueError:
        url = URL()
    if value and (url.scheme not in {"https", "http"} or not url.host):
        raise ValueError("it must be a web address such as https://example.com")
    return value.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_web_address)]
"""An address with http or https, without the slash at its end; empty where there is none."""


class Section(BaseSettings):
    """A group of settings that one room declares; names are matched in any case."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE,
        env_ignore_empty=True,
        allow_inf_nan=False,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        validate_default=False,
    )


class Core(Section):
    """What belongs to no outside service."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    data: Path = Field(Path(".loupe"), description="folder for everything stored on disk")
    system_message: str = Field(
        "You are an AI assistant that helps people find information.",
        description="the system message until somebody changes it",
    )
    host: str = Field("", description="address to listen on")
    port: int = Field(
        3978, ge=0, le=65535, validation_alias="PORT", description="port to listen on"
    )
    log_level: str = Field(
        "info",
        pattern="(?i)^(debug|info|warning|error)$",
        description="lowest level that is logged: debug, info, warning or error",
    )

    @property
    def spool(self) -> Path:
        """The folder for files on their way."""
        return self.data / "spool"


S = TypeVar("S", bound=Section)


class Sections:
    """Sections that were read, each found by its class."""

    def __init__(self, sections: Iterable[Section] = ()) -> None:
        self._by_class = {type(section): section for section in sections}

    def __iter__(self) -> Iterator[Section]:
        return iter(self._by_class.values())

    def __getitem__(self, kind: type[S]) -> S:
        section = self._by_class[kind]
        assert isinstance(section, kind)
        return section


def environment_name(section: type[Section], field: str) -> str:
    """Name the environment variable of a field."""
    alias = section.model_fields[field].validation_alias
    if isinstance(alias, str):
        return alias
    return f"{section.model_config.get('env_prefix', '')}{field}".upper()
