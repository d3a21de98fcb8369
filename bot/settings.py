"""Settings: read once from the environment or `.env`, checked, and listed with their origin."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from dotenv import dotenv_values
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from yarl import URL

from bot.redaction import without_user

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

    data: Path = Field(Path(".loupe"), description="folder for everything kept on disk")
    system_message: str = Field(
        "You are an AI assistant that helps people find information.",
        description="the system message until somebody changes it",
    )
    host: str = Field("", description="address to listen on")
    port: int = Field(
        3978, ge=0, le=65535, validation_alias="PORT", description="port to listen on"
    )
    log_level: str = Field(
        "info", pattern="(?i)^(debug|info|warning|error)$", description="least level logged"
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


def load(section: type[S]) -> S:
    """Read one section; raises `SettingsError` naming the key and the value."""
    try:
        return section()
    except ValidationError as error:
        raise SettingsError(_sentence(section, error)) from None


def _sentence(section: type[Section], error: ValidationError) -> str:
    """Put the first complaint into one sentence; no secret and no password is shown."""
    first = error.errors()[0]
    place = str(first["loc"][0]) if first["loc"] else ""
    name = next(
        (
            environment_name(section, field)
            for field in section.model_fields
            if place.lower() in {field, environment_name(section, field).lower()}
        ),
        place,
    )
    message = first["msg"].removeprefix("Value error, ")
    secret = any(
        environment_name(section, field) == name and _is_secret(info.annotation)
        for field, info in section.model_fields.items()
    )
    if not name:
        return without_user(f"{message}.")
    value = "(hidden)" if secret else repr(str(first["input"]))
    return without_user(f"{name} has the value {value}: {message}.")


def _is_secret(annotation: Any) -> bool:
    return SecretStr in (annotation, *getattr(annotation, "__args__", ()))


@dataclass(frozen=True, slots=True)
class SettingLine:
    """A setting as `loupe settings` shows it."""

    name: str
    value: str
    origin: str
    meaning: str


def lines(section: Section) -> list[SettingLine]:
    """List the settings of a section with value and origin; a secret shows as `set`."""
    in_file = {name.lower() for name, value in dotenv_values(ENV_FILE).items() if value}
    in_environment = {name.lower() for name, value in os.environ.items() if value}
    shown = []
    for field, info in type(section).model_fields.items():
        name = environment_name(type(section), field)
        value = getattr(section, field)
        origin = (
            "environment"
            if name.lower() in in_environment
            else ENV_FILE
            if name.lower() in in_file
            else "default"
        )
        shown.append(SettingLine(name, _shown(value), origin, info.description or ""))
    return shown


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        return "set"
    return "" if value is None else without_user(str(value))
