"""What `loupe doctor` tries: each part that is configured, with the remedy that belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.slack import doctor as slack_doctor
from adapters.teams import doctor as teams_doctor
from bot import checks as doctor
from bot.app_settings import read_settings
from bot.checks import examine
from bot.cli.doctor import checks
from tests.servers.openai import KEY, OpenAIServer
from tests.servers.slack import APP_TOKEN, TOKEN, SlackServer

if TYPE_CHECKING:
    from pathlib import Path

    from bot.checks import Check, CheckResult

REGISTERED = {
    "MicrosoftAppId": "00000000-0000-4000-8000-000000000001",
    "MicrosoftAppPassword": "secret",
    "MicrosoftAppTenantId": "00000000-0000-4000-8000-000000000002",
}
NOWHERE = "http://127.0.0.1:9"
BY_HTTP = {"SLACK_BOT_TOKEN": TOKEN, "SLACK_SIGNING_SECRET": "secret"}
BY_SOCKET = {"SLACK_BOT_TOKEN": TOKEN, "SLACK_APP_TOKEN": APP_TOKEN}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, so that nobody's own settings are read."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Listed:
    return Listed(monkeypatch)


class Listed:
    """The checks for settings, as an operator makes them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def by_part(self, **settings: str) -> dict[str, Check]:
        for name, value in settings.items():
            self._monkeypatch.setenv(name, value)
        found = checks(read_settings())
        assert len({check.part for check in found}) == len(found)
        return {check.part: check for check in found}

    async def found(self, *parts: str, **settings: str) -> list[CheckResult]:
        """What is found of some parts."""
        every = self.by_part(**settings)
        return await examine([every[part] for part in parts])


@pytest.mark.parametrize(
    ("settings", "tried"),
    [
        ({}, []),
        (BY_HTTP, ["Slack"]),
        (BY_SOCKET, ["Slack", "Slack socket"]),
        (REGISTERED, ["Teams token", "Teams signing keys"]),
        (REGISTERED | BY_HTTP, ["Teams token", "Teams signing keys", "Slack"]),
    ],
)
def test_only_platforms_that_are_configured_are_tried(
    listed: Listed, settings: dict[str, str], tried: list[str]
) -> None:
    found = [*listed.by_part(**settings)]
    always = ["data folder", "store", "pictures", "model offline", "vision"]
    assert found == always + tried


def test_each_part_has_its_own_remedy(listed: Listed) -> None:
    plain = {part: check.remedy for part, check in listed.by_part().items()}
    assert plain["store"] == plain["pictures"] == plain["data folder"] == doctor.FOLDER
    assert plain["vision"] == doctor.ENGINE
    elsewhere = {
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "LOUPE_MEDIA_URL": "az://account/container",
        "VISION_ENDPOINT": NOWHERE,
        "OPENAI_BASE_URL": f"{NOWHERE}/v1",
        "OPENAI_MODEL": "gpt-4o",
        "OPENAI_TRANSCRIBE_MODEL": "whisper-1",
    }
    found = listed.by_part(**elsewhere, **REGISTERED, **BY_SOCKET)
    assert {part: check.remedy for part, check in found.items() if check.remedy} == {
        "data folder": doctor.FOLDER,
        "store": doctor.REDIS,
        "pictures": doctor.OBJECT_STORE,
        "vision": doctor.VISION,
        "embeddings": doctor.EMBEDDING,
        "transcription": doctor.SPEECH,
        "Teams token": teams_doctor.SIGN_IN,
        "Teams signing keys": teams_doctor.SIGNING_KEYS,
        "Slack": slack_doctor.SLACK,
        "Slack socket": slack_doctor.SLACK_SOCKET,
    }


async def test_what_is_kept_on_this_machine_is_tried_there(listed: Listed, folder: Path) -> None:
    found = await listed.found("data folder", "store", "pictures", LOUPE_DATA=str(folder / "data"))
    assert [finding.well for finding in found] == [True] * 3
    assert found[1].says == "The embedded store answers."
    assert str(folder / "data") in found[0].says


async def test_a_folder_that_cannot_be_made_is_told_of_each_part(
    listed: Listed, folder: Path
) -> None:
    (folder / "file").touch()
    found = await listed.found("data folder", "pictures", LOUPE_DATA=str(folder / "file" / "data"))
    assert [finding.well for finding in found] == [False, False]
    assert all(finding.says.endswith(doctor.FOLDER) for finding in found)


async def test_a_store_that_is_away_is_told(listed: Listed) -> None:
    [found] = await listed.found("store", REDIS_URL="redis://127.0.0.1:1/0")
    assert not found.well
    assert found.says.endswith(doctor.REDIS)


async def test_slack_is_tried_with_its_tokens(listed: Listed) -> None:
    async with SlackServer() as slack:
        known = await listed.found(
            "Slack", "Slack socket", SLACK_API_URL=slack.api_url, **BY_SOCKET
        )
    assert sorted(slack.calls) == ["apps.connections.open", "auth.test"]
    assert [(finding.part, finding.well) for finding in known] == [
        ("Slack", True),
        ("Slack socket", True),
    ]


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked"])
async def test_a_token_that_slack_refuses_is_told_without_showing_it(
    listed: Listed, error: str
) -> None:
    async with SlackServer() as slack:
        slack.errors = {"auth.test": [error], "apps.connections.open": [error]}
        found = await listed.found(
            "Slack", "Slack socket", SLACK_API_URL=slack.api_url, **BY_SOCKET
        )
    for finding, remedy in zip(found, (slack_doctor.SLACK, slack_doctor.SLACK_SOCKET), strict=True):
        assert not finding.well
        assert error in finding.says
        assert finding.says.endswith(remedy)
        assert TOKEN not in finding.says
        assert APP_TOKEN not in finding.says


async def test_each_model_is_tried_by_its_own_name(listed: Listed) -> None:
    parts = ("model gpt-4o", "model gpt-5.1")
    async with OpenAIServer() as model:
        how = {"OPENAI_BASE_URL": f"{model.url}/v1", "OPENAI_API_KEY": KEY}
        found = await listed.found(*parts, LOUPE_MODELS="gpt-4o,gpt-5.1", **how)
    assert [(finding.part, finding.well) for finding in found] == [(part, True) for part in parts]
    assert sorted({request.body["model"] for request in model.requests}) == ["gpt-4o", "gpt-5.1"]
