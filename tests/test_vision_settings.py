"""Which engine sees, and its limits."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.vision.azure import AzureVision
from adapters.vision.local import LocalVision
from adapters.vision.settings import VisionSettings, build_vision
from bot.settings import Limits, SettingsError, lines, load


def settings(**values: Any) -> VisionSettings:
    return load(VisionSettings, _env_file=None, **values)


async def test_without_an_endpoint_this_machine_sees() -> None:
    vision = build_vision(settings(), Limits(_env_file=None))
    assert isinstance(vision, LocalVision)
    await vision.close()


async def test_with_an_endpoint_azure_sees() -> None:
    vision = build_vision(settings(endpoint="https://eyes.example"), Limits(_env_file=None))
    assert isinstance(vision, AzureVision)
    await vision.close()


def test_settings_have_the_names_of_their_ecosystem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISION_ENDPOINT", "https://eyes.example")
    monkeypatch.setenv("VISION_KEY", "very-secret")
    monkeypatch.setenv("LOUPE_VISION_TILES", "9")
    read = load(VisionSettings, _env_file=None)
    assert (read.resource, read.tiles) == ("https://eyes.example", 9)
    assert "very-secret" not in str([*lines(read), read])


@pytest.mark.parametrize(
    ("endpoint", "resource"),
    [
        ("https://eyes.cognitiveservices.azure.com/", "https://eyes.cognitiveservices.azure.com"),
        (
            "https://eyes.example/computervision/imageanalysis:analyze?api-version=2024-02-01",
            "https://eyes.example",
        ),
        ("http://127.0.0.1:5000/gateway/", "http://127.0.0.1:5000/gateway"),
    ],
)
def test_the_resource_is_found_in_what_the_portal_gives(endpoint: str, resource: str) -> None:
    assert settings(endpoint=endpoint).resource == resource


@pytest.mark.parametrize(("rate", "pace"), [("20/s", (20, 1.0)), ("20/min", (20, 60.0))])
def test_a_rate_is_counted_in_seconds_or_minutes(rate: str, pace: tuple[int, float]) -> None:
    assert settings(rate=rate).pace == pace


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"rate": "20"}, "LOUPE_VISION_RATE has the value '20'"),
        ({"rate": "0/s"}, "LOUPE_VISION_RATE has the value '0/s'"),
        ({"endpoint": "eyes.example"}, "VISION_ENDPOINT has the value 'eyes.example'"),
        ({"tiles": 0}, "LOUPE_VISION_TILES has the value '0'"),
    ],
)
def test_a_wrong_value_is_named(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        settings(**values)
