"""Which provider is on, with which models, and what stops the start."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from adapters.models.settings import OPENAI_URL, ModelChoice, ModelSettings
from bot.settings import SettingsError
from bot.settings_reader import load

if TYPE_CHECKING:
    from pathlib import Path

AZURE = "https://contoso.openai.azure.com"
NAMES = ("AZURE_", "OPENAI_", "LOUPE_MODEL", "LOUPE_GPT4V", "LOUPE_TEMPERATURE")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the tester's own environment and `.env` out of the tests."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(NAMES)]:
        monkeypatch.delenv(name)


def settings(monkeypatch: pytest.MonkeyPatch, **environment: str) -> ModelSettings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load(ModelSettings)


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    with pytest.raises(SettingsError) as caught:
        settings(monkeypatch, **environment)
    return str(caught.value)


def test_nothing_set_is_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(monkeypatch)
    assert found.offline
    assert found.provider == ""
    assert found.choices == (ModelChoice("offline"),)


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"])
def test_a_key_alone_turns_nothing_on(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert settings(monkeypatch, **{name: "secret"}).offline


def test_an_azure_endpoint_with_a_deployment_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(
        monkeypatch, AZURE_OPENAI_ENDPOINT=AZURE, AZURE_OPENAI_DEPLOYMENT="vision-prod"
    )
    assert (found.provider, found.offline) == ("azure", False)
    assert found.choices == (ModelChoice("vision-prod"),)


def test_a_foreign_key_does_not_disturb_azure(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(
        monkeypatch, AZURE_OPENAI_ENDPOINT=AZURE, LOUPE_MODELS="a", OPENAI_API_KEY="secret"
    )
    assert found.provider == "azure"


@pytest.mark.parametrize(
    "environment",
    [
        {"OPENAI_BASE_URL": "http://localhost:8000/v1", "OPENAI_MODEL": "m"},
        {"OPENAI_API_KEY": "secret", "OPENAI_MODEL": "m"},
        {"OPENAI_API_KEY": "secret", "LOUPE_MODELS": "m"},
    ],
)
def test_an_openai_server_is_on(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    found = settings(monkeypatch, **environment)
    assert found.provider == "openai"
    assert found.choices == (ModelChoice("m"),)
    assert found.base_url == environment.get("OPENAI_BASE_URL", OPENAI_URL)


@pytest.mark.parametrize(
    "other",
    [
        {"OPENAI_BASE_URL": "http://localhost:8000/v1"},
        {"OPENAI_API_KEY": "secret", "OPENAI_MODEL": "m"},
    ],
)
def test_two_providers_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, other: dict[str, str]
) -> None:
    sentence = refusal(monkeypatch, AZURE_OPENAI_ENDPOINT=AZURE, LOUPE_MODELS="a", **other)
    assert AZURE in sentence
    assert other.get("OPENAI_BASE_URL", "m") in sentence
    assert "secret" not in sentence


@pytest.mark.parametrize(
    ("environment", "remedy"),
    [
        ({"AZURE_OPENAI_ENDPOINT": AZURE}, "AZURE_OPENAI_DEPLOYMENT or LOUPE_MODELS"),
        ({"OPENAI_BASE_URL": "http://localhost/v1"}, "OPENAI_MODEL or LOUPE_MODELS"),
        ({"AZURE_OPENAI_ENDPOINT": AZURE, "OPENAI_MODEL": "m"}, "AZURE_OPENAI_DEPLOYMENT"),
    ],
)
def test_a_provider_without_a_model_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], remedy: str
) -> None:
    sentence = refusal(monkeypatch, **environment)
    assert remedy in sentence
    assert all(name in sentence for name in list(environment)[:1])


def test_chat_without_a_provider_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(monkeypatch, LOUPE_MODEL_API="chat").startswith(
        "LOUPE_MODEL_API has the value 'chat' but there is no provider"
    )


def test_the_retired_format_is_on_with_azure_s_key(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(
        monkeypatch,
        LOUPE_MODEL_API="gpt4v-extensions",
        LOUPE_GPT4V_API_VERSION="2023-12-01-preview",
        AZURE_OPENAI_ENDPOINT=f"{AZURE}/openai/v1",
        AZURE_OPENAI_API_KEY="secret",
        AZURE_OPENAI_DEPLOYMENT="v",
    )
    assert (found.api, found.gpt4v_version) == ("gpt4v-extensions", "2023-12-01-preview")
    assert (found.offline, found.azure_root, found.choices) == (False, AZURE, (ModelChoice("v"),))


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"AZURE_OPENAI_ENDPOINT": AZURE, "AZURE_OPENAI_DEPLOYMENT": "v"},
        {"AZURE_OPENAI_API_KEY": "secret"},
        {"OPENAI_API_KEY": "secret", "OPENAI_MODEL": "m"},
    ],
)
def test_the_retired_format_needs_azure_and_its_key(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    sentence = refusal(monkeypatch, LOUPE_MODEL_API="gpt4v-extensions", **environment)
    assert sentence.startswith("LOUPE_MODEL_API has the value 'gpt4v-extensions'")
    assert "AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_API_KEY" in sentence
    assert "secret" not in sentence


def test_offline_can_be_asked_for_beside_a_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(monkeypatch, LOUPE_MODEL_API="offline", AZURE_OPENAI_ENDPOINT=AZURE)
    assert found.offline
    assert found.choices == (ModelChoice("offline"),)


def test_the_list_of_models_names_families_and_prevails(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(
        monkeypatch,
        AZURE_OPENAI_ENDPOINT=AZURE,
        AZURE_OPENAI_DEPLOYMENT="single",
        LOUPE_MODELS=" prod = gpt-5.1 , gpt-4o ,",
    )
    assert found.choices == (ModelChoice("prod", "gpt-5.1"), ModelChoice("gpt-4o"))


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("LOUPE_MODELS", "=gpt-4o", "names no model"),
        ("LOUPE_MODELS", "prod=gpt-9", "'gpt-9' is no known family"),
        ("LOUPE_MODELS", "a,b,a", "names a twice"),
        ("LOUPE_MODEL_API", "responses", "'chat'"),
        ("LOUPE_GPT4V_API_VERSION", "2024-04-01-preview", "had vision enhancements"),
        ("LOUPE_TEMPERATURE", "3", "less than or equal to 2"),
        ("AZURE_OPENAI_ENDPOINT", "contoso", "web address"),
        ("OPENAI_BASE_URL", "ftp://x/v1", "web address"),
        ("LOUPE_MODEL_TRIES", "0", "greater than or equal to 1"),
        ("LOUPE_MODEL_FIRST_SECONDS", "soon", "number"),
        ("LOUPE_MODEL_TRANSCRIBE_SECONDS", "0", "greater than 0"),
    ],
)
def test_a_wrong_value_is_named_with_its_key(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, complaint: str
) -> None:
    sentence = refusal(monkeypatch, **{name: value})
    assert sentence.startswith(f"{name} has the value {value!r}: ")
    assert complaint in sentence
    assert sentence.endswith(".")


OPENAI = {"OPENAI_BASE_URL": "http://localhost:8000/v1", "OPENAI_MODEL": "m"}


def test_nothing_is_transcribed_unless_a_model_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, **OPENAI).transcribe_model == ""


def test_a_transcription_model_is_its_provider_s(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(
        monkeypatch,
        AZURE_OPENAI_ENDPOINT=AZURE,
        LOUPE_MODELS="a",
        AZURE_OPENAI_TRANSCRIBE_DEPLOYMENT="whisper",
    )
    assert found.transcribe_model == "whisper"
    for name in ("AZURE_OPENAI_ENDPOINT", "LOUPE_MODELS", "AZURE_OPENAI_TRANSCRIBE_DEPLOYMENT"):
        monkeypatch.delenv(name)
    found = settings(monkeypatch, OPENAI_TRANSCRIBE_MODEL="whisper-1", **OPENAI)
    assert found.transcribe_model == "whisper-1"


def test_whoever_wants_no_model_has_no_transcription_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = settings(
        monkeypatch, LOUPE_MODEL_API="offline", OPENAI_TRANSCRIBE_MODEL="whisper-1", **OPENAI
    )
    assert found.transcribe_model == ""


@pytest.mark.parametrize(
    ("name", "environment", "remedy"),
    [
        (
            "OPENAI_TRANSCRIBE_MODEL",
            {"AZURE_OPENAI_ENDPOINT": AZURE, "LOUPE_MODELS": "a"},
            "please set AZURE_OPENAI_TRANSCRIBE_DEPLOYMENT instead.",
        ),
        (
            "AZURE_OPENAI_TRANSCRIBE_DEPLOYMENT",
            OPENAI,
            "please set OPENAI_TRANSCRIBE_MODEL instead.",
        ),
        ("AZURE_OPENAI_TRANSCRIBE_DEPLOYMENT", {}, "please set AZURE_OPENAI_ENDPOINT."),
        (
            "OPENAI_TRANSCRIBE_MODEL",
            {"OPENAI_API_KEY": "secret"},
            "please set OPENAI_BASE_URL, or OPENAI_API_KEY and OPENAI_MODEL.",
        ),
    ],
)
def test_a_transcription_model_without_its_provider_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, environment: dict[str, str], remedy: str
) -> None:
    sentence = refusal(monkeypatch, **{name: "scribe"}, **environment)
    assert sentence.startswith(f"{name} has the value 'scribe' but ")
    assert sentence.endswith(remedy)
    assert "secret" not in sentence


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        (AZURE, f"{AZURE}/openai/v1/"),
        (f"{AZURE}/", f"{AZURE}/openai/v1/"),
        (f"{AZURE}/openai", f"{AZURE}/openai/v1/"),
        (f"{AZURE}/openai/v1", f"{AZURE}/openai/v1/"),
        (f"{AZURE}/openai/v1/", f"{AZURE}/openai/v1/"),
        (
            f"{AZURE}/openai/deployments/prod/chat/completions?api-version=2024-10-21",
            f"{AZURE}/openai/v1/",
        ),
        ("https://gate.example/openai-eu/", "https://gate.example/openai-eu/openai/v1/"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/openai/v1/"),
    ],
)
def test_an_azure_endpoint_is_taken_as_people_write_it(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, url: str
) -> None:
    found = settings(monkeypatch, AZURE_OPENAI_ENDPOINT=endpoint, LOUPE_MODELS="a")
    assert found.base_url == url
