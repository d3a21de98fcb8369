"""Which engine sees, and its limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from adapters.vision.azure import AzureVision
from adapters.vision.azure_embedding import AzureEmbedding
from adapters.vision.build import build_embedding, build_vision
from adapters.vision.local import LocalVision
from adapters.vision.settings import VisionSettings
from bot.limits import ChildLimits, FileLimits
from bot.settings import SettingsError
from bot.settings_reader import lines, load

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., VisionSettings]:
    """Read settings from an environment that has these only."""
    monkeypatch.chdir(tmp_path)

    def read(**values: str) -> VisionSettings:
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return load(VisionSettings)

    return read


Read = Callable[..., VisionSettings]


async def test_without_an_endpoint_this_machine_sees(settings: Read) -> None:
    vision = build_vision(settings(), FileLimits(_env_file=None), ChildLimits(_env_file=None))
    assert isinstance(vision, LocalVision)
    await vision.close()


async def test_with_an_endpoint_azure_sees(settings: Read) -> None:
    vision = build_vision(
        settings(VISION_ENDPOINT="https://eyes.example"),
        FileLimits(_env_file=None),
        ChildLimits(_env_file=None),
    )
    assert isinstance(vision, AzureVision)
    await vision.close()


async def test_without_an_endpoint_nothing_embeds(settings: Read) -> None:
    vision = build_vision(settings(), FileLimits(_env_file=None), ChildLimits(_env_file=None))
    assert build_embedding(settings(), vision) is None
    await vision.close()


async def test_with_an_endpoint_azure_embeds_with_the_resource_that_sees(settings: Read) -> None:
    read = settings(VISION_ENDPOINT="https://eyes.example", VISION_KEY="very-secret")
    vision = build_vision(read, FileLimits(_env_file=None), ChildLimits(_env_file=None))
    beside, alone = build_embedding(read, vision), build_embedding(read)
    assert isinstance(vision, AzureVision)
    assert isinstance(beside, AzureEmbedding)
    assert isinstance(alone, AzureEmbedding)
    assert beside.resource is vision.resource is not alone.resource
    for each in (beside, alone, vision):
        await each.close()


def test_settings_have_the_names_of_their_ecosystem(settings: Read) -> None:
    address = {"VISION_ENDPOINT": "https://eyes.example", "VISION_KEY": "very-secret"}
    read = settings(**address, LOUPE_VISION_TILES="9")
    assert read.shared_resource == ("https://eyes.example", "very-secret")
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
def test_the_resource_is_found_in_what_the_portal_gives(
    settings: Read, endpoint: str, resource: str
) -> None:
    assert settings(VISION_ENDPOINT=endpoint).resource == resource


@pytest.mark.parametrize(("rate", "pace"), [("20/s", (20, 1.0)), ("20/min", (20, 60.0))])
def test_a_rate_is_counted_in_seconds_or_minutes(
    settings: Read, rate: str, pace: tuple[int, float]
) -> None:
    assert settings(LOUPE_VISION_RATE=rate).pace == pace


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOUPE_VISION_RATE", "20"),
        ("LOUPE_VISION_RATE", "0/s"),
        ("VISION_ENDPOINT", "eyes.example"),
        ("LOUPE_VISION_TILES", "0"),
    ],
)
def test_a_wrong_value_is_named(settings: Read, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} has the value '{value}'"):
        settings(**{name: value})
