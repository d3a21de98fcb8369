"""Settings as they are read from the environment or `.env`, checked, and listed with origin."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, TypeVar

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError

from bot.limits import (
    ChildLimits,
    FileLimits,
    Limits,
    MessageLimits,
    RequestLimits,
    RetentionLimits,
    ToolLimits,
    TurnLimits,
    VideoLimits,
    WorkerLimits,
)
from bot.redaction import without_user
from bot.settings import ENV_FILE, Section, SettingsError, environment_name

S = TypeVar("S", bound=Section)


def load(section: type[S]) -> S:
    """Read one section; raises `SettingsError` naming the key and the value."""
    try:
        return section()
    except ValidationError as error:
        raise SettingsError(_sentence(section, error)) from None


def load_limits() -> Limits:
    """Read all limits; raises `SettingsError` naming the key and the value."""
    return Limits(
        load(FileLimits),
        load(VideoLimits),
        load(ChildLimits),
        load(RequestLimits),
        load(TurnLimits),
        load(ToolLimits),
        load(MessageLimits),
        load(WorkerLimits),
        load(RetentionLimits),
    )


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
    setting_lines = []
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
        setting_lines.append(SettingLine(name, _shown(value), origin, info.description or ""))
    return setting_lines


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        return "set"
    return "" if value is None else without_user(str(value))
