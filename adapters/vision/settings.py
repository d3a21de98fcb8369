"""What sees: Azure AI Vision where an endpoint is given, else the engine on this machine."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from bot.settings import MIB, Section, WebAddress

PERIODS = {"s": 1.0, "min": 60.0}
"""Seconds of what a rate may be counted in."""
_RATE = re.compile(r"([1-9]\d{0,5})/(s|min)")


class VisionSettings(Section):
    """The two engines: what they take in, what they let through, how long they may take."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_VISION_")

    endpoint: WebAddress = Field(
        "",
        validation_alias="VISION_ENDPOINT",
        description="Azure AI Vision resource; if unset, the local engine is used",
    )
    key: SecretStr | None = Field(
        None,
        validation_alias="VISION_KEY",
        description="its key; if unset, the identity that azure-identity finds",
    )
    scope: str = Field(
        "https://cognitiveservices.azure.com/.default",
        validation_alias="VISION_SCOPE",
        description="scope of the identity's token",
    )
    rate: str = Field(
        "20/s", description="most requests to Azure: 20/s, or 20/min for the free tier"
    )
    at_once: int = Field(8, ge=1, description="pictures analysed by Azure at the same time")
    request_seconds: float = Field(
        15, gt=0, le=600, description="longest request to Azure, seconds"
    )
    tries: int = Field(4, ge=1, description="most requests to Azure for one picture")
    retry_seconds: float = Field(
        20, ge=0, le=600, description="no new request for it after this time, seconds"
    )
    upload_side: int = Field(
        4096, ge=256, le=16_000, description="long side of pictures sent to Azure, pixels"
    )
    people: float = Field(0.5, ge=0, le=1, description="lowest confidence of a person from Azure")
    side: int = Field(
        1280,
        ge=320,
        le=4096,
        description="long side of pictures and tiles in which text is read, pixels",
    )
    tiles: int = Field(6, ge=1, le=64, description="most tiles of a picture; 1 turns tiles off")
    reading_seconds: float = Field(
        15, gt=0, le=600, description="longest time to read the text of one picture, seconds"
    )
    confidence: float = Field(0.6, ge=0, le=1, description="lowest confidence of a line of text")
    traffic: float = Field(
        0.35, ge=0.05, le=1, description="lowest confidence of people, vehicles and traffic signs"
    )
    things: float = Field(0.5, ge=0.05, le=1, description="lowest confidence of other objects")
    seconds: float = Field(
        45, gt=0, le=600, description="longest time to analyse one picture locally, seconds"
    )
    memory: int = Field(3072 * MIB, ge=1536 * MIB, description="address space of the engine, bytes")
    wait_seconds: float = Field(
        120, gt=0, le=3600, description="longest time a picture waits for its turn, seconds"
    )

    @field_validator("rate")
    @classmethod
    def _is_a_rate(cls, value: str) -> str:
        if not _RATE.fullmatch(value):
            raise ValueError("it must be a number of requests per s or min, such as 20/s")
        return value

    @property
    def pace(self) -> tuple[int, float]:
        """Most requests, and within how many seconds."""
        number, _, unit = self.rate.partition("/")
        return int(number), PERIODS[unit]

    @property
    def resource(self) -> str:
        """Where the Azure resource is, whichever of its addresses the portal gave."""
        parts = urlsplit(self.endpoint)
        path = re.sub(r"/computervision(/.*)?$", "", parts.path).rstrip("/")
        return f"{parts.scheme}://{parts.netloc}{path}"

    @property
    def shared_resource(self) -> tuple[str, str] | None:
        """Address and key of the Azure resource, for a service that uses it itself."""
        return (self.resource, self.key.get_secret_value()) if self.endpoint and self.key else None
