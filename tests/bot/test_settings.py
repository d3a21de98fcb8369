"""Settings: read from the environment or `.env`, refused in one sentence, listed with origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_type_hints

import pytest
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from adapters.redis.settings import RedisSettings
from bot.limits import FileLimits, Limits, RetentionLimits
from bot.redaction import secrets_of
from bot.settings import Core, Section, SettingsError, WebAddress, environment_name, listed
from bot.settings_reader import lines, load

if TYPE_CHECKING:
    from pathlib import Path


class Room(Section):
    """Settings of a room in the tests."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_ROOM_")

    key: SecretStr | None = Field(None, validation_alias="ROOM_KEY", description="a secret")
    places: int = Field(4, ge=1, description="how many sit in it")
    colour: str = Field("white", description="of its walls")

    @field_validator("key")
    @classmethod
    def _is_long(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < 8:
            raise ValueError("it has to have 8 characters")
        return key

    @model_validator(mode="after")
    def _fits(self) -> Room:
        if self.colour == "black" and self.places > 10:
            raise ValueError("LOUPE_ROOM_PLACES is too large for a black room")
        return self


class Door(Section):
    """A setting that leads somewhere else."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_DOOR_")

    url: WebAddress = Field("", description="where it leads to")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("ROOM_KEY", "LOUPE_ROOM_PLACES", "LOUPE_ROOM_COLOUR", "PORT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_without_anything_the_defaults_hold() -> None:
    room = load(Room)
    assert (room.key, room.places, room.colour) == (None, 4, "white")


def test_the_environment_is_read_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_ROOM_PLACES", "7")
    monkeypatch.setenv("room_key", "long enough")
    room = load(Room)
    assert room.places == 7
    assert room.key == SecretStr("long enough")


def test_the_environment_wins_over_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("LOUPE_ROOM_PLACES=5\nLOUPE_ROOM_COLOUR=red\nUNKNOWN=1\n")
    monkeypatch.setenv("LOUPE_ROOM_PLACES", "7")
    room = load(Room)
    assert (room.places, room.colour) == (7, "red")


def test_an_empty_value_counts_as_unset(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("LOUPE_ROOM_COLOUR=\n")
    monkeypatch.setenv("LOUPE_ROOM_PLACES", "")
    room = load(Room)
    assert (room.places, room.colour) == (4, "white")
    assert {line.origin for line in lines(room)} == {"default"}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("LOUPE_ROOM_PLACES", "many", "LOUPE_ROOM_PLACES has the value 'many': Input should be"),
        ("LOUPE_ROOM_PLACES", "0", "LOUPE_ROOM_PLACES has the value '0': Input should be"),
        ("ROOM_KEY", "short", "ROOM_KEY has the value (hidden): it has to have 8 characters."),
    ],
)
def test_a_wrong_value_is_refused_by_key_and_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load(Room)
    told = str(refused.value)
    assert told.startswith(sentence)
    assert told.endswith(".")
    assert "\n" not in told
    assert "short" not in told


@pytest.mark.parametrize("url", ["https://a.example/b", "http://[::1]:8080", ""])
def test_a_web_address_has_no_slash_at_its_end(url: str) -> None:
    assert Door(url=url).url == url
    assert Door(url=url and f"{url}/").url == url


@pytest.mark.parametrize("url", ["example.com", "ftp://a.example", "https://", "http://[::1", "/"])
def test_what_is_no_web_address_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LOUPE_DOOR_URL", url)
    with pytest.raises(SettingsError, match=r"it must be a web address such as https://example\."):
        load(Door)


@pytest.mark.parametrize(("value", "names"), [("", []), (" a b, ,C,", ["a b", "C"])])
def test_a_list_has_no_spaces_and_no_empty_places(value: str, names: list[str]) -> None:
    assert listed(value) == names


def test_values_that_do_not_go_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_ROOM_COLOUR", "black")
    monkeypatch.setenv("LOUPE_ROOM_PLACES", "11")
    with pytest.raises(SettingsError, match=r"^LOUPE_ROOM_PLACES is too large for a black room\.$"):
        load(Room)


def test_the_list_tells_value_origin_and_meaning(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".env").write_text("LOUPE_ROOM_COLOUR=red\n")
    monkeypatch.setenv("ROOM_KEY", "long enough")
    shown = [(each.name, each.value, each.origin, each.meaning) for each in lines(load(Room))]
    assert shown == [
        ("ROOM_KEY", "set", "environment", "a secret"),
        ("LOUPE_ROOM_PLACES", "4", "default", "how many sit in it"),
        ("LOUPE_ROOM_COLOUR", "red", ".env", "of its walls"),
    ]


@pytest.mark.parametrize("section", [*get_type_hints(Limits).values(), Core])
def test_every_default_is_a_value_that_may_be_set(
    section: type[Section], monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in lines(section()):
        monkeypatch.setenv(line.name, line.value)
    again = load(section)
    assert again == section.model_construct()
    assert all(line.meaning for line in lines(again))


def test_names_are_those_of_the_ecosystem_or_loupes_own() -> None:
    assert environment_name(Core, "port") == "PORT"
    assert environment_name(FileLimits, "max_photo_bytes") == "LOUPE_MAX_PHOTO_BYTES"


@pytest.mark.parametrize("value", ["inf", "nan", "1e9"])
def test_no_duration_is_endless(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("LOUPE_RETENTION_DAYS", value)
    sentence = f"^LOUPE_RETENTION_DAYS has the value '{value}': Input should be"
    with pytest.raises(SettingsError, match=sentence):
        load(RetentionLimits)


@pytest.mark.parametrize(
    "url", ["redis://:abc", "redis://h:abc", "redis://h:65536", "redis://:hunter2/x@h"]
)
def test_a_port_that_is_no_number_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(SettingsError, match=r"^REDIS_URL has the value \(hidden\): it") as refused:
        load(RedisSettings)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://user:hunter2@h", "ftp://hunter2@h", "user:hunter2@h"])
def test_the_user_of_an_address_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LOUPE_ROOM_COLOUR", url)
    shown = {line.name: line.value for line in lines(load(Room))}
    assert shown["LOUPE_ROOM_COLOUR"].endswith("(hidden)@h")
    assert "hunter2" not in shown["LOUPE_ROOM_COLOUR"]
    monkeypatch.setenv("LOUPE_ROOM_PLACES", url)
    with pytest.raises(SettingsError, match=r"\(hidden\)@h'") as refused:
        load(Room)
    assert "hunter2" not in str(refused.value)


def test_the_password_of_an_address_is_kept_out_of_the_log() -> None:
    room = Room.model_construct(key=None, colour="https://user:hunter%32@h")
    assert set(secrets_of(room)) == {"hunter%32", "hunter2"}
