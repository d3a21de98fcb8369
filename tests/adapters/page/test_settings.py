from __future__ import annotations

import pytest

from adapters.chat.declaration import Connection
from adapters.page.build import DECLARATION
from adapters.page.settings import PageSettings
from adapters.slack.settings import SlackSettings
from adapters.teams.settings import TeamsSettings
from bot.channels import CHANNELS, ConfiguredChannels
from bot.settings import Sections, SettingsError
from bot.settings_reader import load


@pytest.mark.parametrize(
    ("value", "channels", "expected"),
    [
        (None, False, True),
        (None, True, False),
        ("on", True, True),
        ("on", False, True),
        ("off", False, False),
    ],
)
def test_the_page_is_on_where_nothing_else_is_unless_somebody_says(
    value: str | None, channels: bool, expected: bool
) -> None:
    teams = TeamsSettings(app_id="1", app_password="x") if channels else TeamsSettings()
    sections = Sections([teams, SlackSettings(), PageSettings(page=value)])
    connection = ConfiguredChannels(CHANNELS, sections).connection(DECLARATION)
    assert (connection is Connection.LOCAL) is expected


def test_a_wrong_value_is_named_with_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_PAGE", "maybe")
    with pytest.raises(SettingsError, match="LOUPE_PAGE has the value 'maybe'"):
        load(PageSettings)


def test_names_are_read_from_a_comma_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_PAGE_HOSTS", "Loupe.example, , bot.example")
    assert load(PageSettings).hosts == {"loupe.example", "bot.example"}
