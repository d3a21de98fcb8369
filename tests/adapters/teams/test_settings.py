"""Settings of the Azure Bot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.teams.settings import TeamsSettings
from bot.settings import SettingsError
from bot.settings_reader import lines, load

if TYPE_CHECKING:
    from pathlib import Path

COMPLETE = {
    "MicrosoftAppId": "an-app",
    "MicrosoftAppPassword": "a-secret",
    "MicrosoftAppTenantId": "A-Tenant",
}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [*COMPLETE, "MicrosoftAppType", "LOUPE_TENANTS", "LOUPE_CONNECTOR_HOSTS"]:
        monkeypatch.delenv(name, raising=False)


def given(monkeypatch: pytest.MonkeyPatch, **names: str) -> TeamsSettings:
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    return load(TeamsSettings)


def test_nothing_configured_is_playground_mode() -> None:
    settings = load(TeamsSettings)
    assert settings.playground
    assert settings.served_tenants == frozenset()


def test_the_ecosystems_names_are_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = given(monkeypatch, **COMPLETE, MicrosoftAppType="singletenant")
    assert (settings.app_id, settings.app_tenant) == ("an-app", "A-Tenant")
    assert settings.app_password is not None
    assert settings.app_password.get_secret_value() == "a-secret"
    assert settings.app_type == "SingleTenant"
    assert not settings.playground


@pytest.mark.parametrize(
    ("name", "app_type"),
    [
        ("MicrosoftAppPassword", "SingleTenant"),
        ("MicrosoftAppPassword", "MultiTenant"),
        ("MicrosoftAppTenantId", "SingleTenant"),
        ("MicrosoftAppTenantId", "UserAssignedMSI"),
    ],
)
def test_an_incomplete_bot_stops_the_start_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, app_type: str
) -> None:
    values = {key: value for key, value in COMPLETE.items() if key != name}
    with pytest.raises(SettingsError) as error:
        given(monkeypatch, **values, MicrosoftAppType=app_type)
    assert str(error.value) == (
        f"MicrosoftAppId has the value 'an-app' but {name} is not set: "
        f"a bot of MicrosoftAppType {app_type} needs it."
    )


def test_a_managed_identity_needs_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {name: value for name, value in COMPLETE.items() if name != "MicrosoftAppPassword"}
    assert given(monkeypatch, **names, MicrosoftAppType="UserAssignedMSI").app_password is None


def test_an_unknown_type_is_named_with_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as error:
        given(monkeypatch, **COMPLETE, MicrosoftAppType="Tenantless")
    assert str(error.value) == (
        "MicrosoftAppType has the value 'Tenantless': "
        "it must be one of SingleTenant, MultiTenant, UserAssignedMSI."
    )


@pytest.mark.parametrize("name", ["LOUPE_OPENID_URL", "LOUPE_TOKEN_URL"])
@pytest.mark.parametrize("value", ["login.example", "ftp://login.example", "https://[x"])
def test_an_address_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(SettingsError, match=f"{name} has the value"):
        given(monkeypatch, **{name: value})


def test_tenants_served_are_those_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, **COMPLETE, LOUPE_TENANTS=" One, two ,")
    assert settings.served_tenants == {"one", "two"}


@pytest.mark.parametrize(
    ("app_type", "tenants"),
    [("SingleTenant", {"a-tenant"}), ("UserAssignedMSI", {"a-tenant"}), ("MultiTenant", set())],
)
def test_without_a_list_the_type_decides_which_tenants_are_served(
    monkeypatch: pytest.MonkeyPatch, app_type: str, tenants: set[str]
) -> None:
    assert given(monkeypatch, **COMPLETE, MicrosoftAppType=app_type).served_tenants == tenants


def test_the_listing_shows_the_names_and_never_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = {line.name: line for line in lines(given(monkeypatch, **COMPLETE))}
    assert listing["MicrosoftAppPassword"].value == "set"
    assert listing["MicrosoftAppId"].origin == "environment"
    assert listing["LOUPE_OPENID_URL"].value.startswith("https://login.botframework.com/")
    assert {"LOUPE_TENANTS", "LOUPE_CONNECTOR_HOSTS", "LOUPE_MAX_BODY_BYTES"} <= set(listing)
