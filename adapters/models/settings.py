"""Which model answers: the provider, the models it may be asked for, and how long to wait."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from bot.domain.token_costs import FAMILIES
from bot.settings import Section, WebAddress, listed

Provider = Literal["azure", "openai", ""]

OFFLINE = "offline"
EXTENSIONS_VERSION = "2023-12-01-preview"
GPT4V_VERSIONS = (EXTENSIONS_VERSION, "2024-02-15-preview")
"""The API versions of Azure OpenAI that had vision enhancements; the next one removed them."""
OPENAI_URL = "https://api.openai.com/v1/"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model that may be chosen, and its family where the operator named it (else "")."""

    name: str
    family: str = ""


class ModelSettings(Section):
    """The provider and its models.

    Azure OpenAI is on with its endpoint. An OpenAI-compatible server is on with its base URL;
    OpenAI itself is on with a key together with OPENAI_MODEL, or with a key together with
    LOUPE_MODELS where no Azure endpoint claims the list. A key alone turns nothing on.
    """

    model_config = SettingsConfigDict(env_prefix="LOUPE_MODEL_")

    azure_endpoint: WebAddress = Field(
        "", validation_alias="AZURE_OPENAI_ENDPOINT", description="Azure OpenAI resource"
    )
    azure_key: SecretStr | None = Field(
        None,
        validation_alias="AZURE_OPENAI_API_KEY",
        description="its key; if unset, the identity that azure-identity finds",
    )
    azure_deployment: str = Field(
        "",
        validation_alias="AZURE_OPENAI_DEPLOYMENT",
        description="its deployment, if there is only one",
    )
    azure_scope: str = Field(
        "https://ai.azure.com/.default",
        validation_alias="AZURE_OPENAI_SCOPE",
        description="scope of the identity's token",
    )
    azure_transcribe: str = Field(
        "",
        validation_alias="AZURE_OPENAI_TRANSCRIBE_DEPLOYMENT",
        description="its deployment that transcribes what is said in videos",
    )
    openai_url: WebAddress = Field(
        "", validation_alias="OPENAI_BASE_URL", description="an OpenAI-compatible server"
    )
    openai_key: SecretStr | None = Field(
        None, validation_alias="OPENAI_API_KEY", description="its key, if it requires one"
    )
    openai_model: str = Field(
        "", validation_alias="OPENAI_MODEL", description="its model, if there is only one"
    )
    openai_transcribe: str = Field(
        "",
        validation_alias="OPENAI_TRANSCRIBE_MODEL",
        description="its model that transcribes what is said in videos",
    )
    models: str = Field(
        "",
        validation_alias="LOUPE_MODELS",
        description="models to choose from, name[=family], comma separated; the first is default",
    )
    api: Literal["chat", "gpt4v-extensions", "offline"] | None = Field(
        None,
        validation_alias="LOUPE_MODEL_API",
        description="chat (with a provider), offline (without); gpt4v-extensions is retired",
    )
    gpt4v_version: str = Field(
        GPT4V_VERSIONS[-1],
        validation_alias="LOUPE_GPT4V_API_VERSION",
        description=f"API version of gpt4v-extensions: {' or '.join(GPT4V_VERSIONS)}",
    )
    gpt4v_stream: bool = Field(
        default=False,
        validation_alias="LOUPE_GPT4V_STREAM",
        description="gpt4v-extensions also streams enhanced answers, maybe without outlines",
    )
    temperature: float | None = Field(
        None,
        ge=0,
        le=2,
        validation_alias="LOUPE_TEMPERATURE",
        description="temperature of answers; if unset, none is sent, as reasoning models require",
    )
    connect_seconds: float = Field(
        5, gt=0, le=600, description="longest wait for a connection, seconds"
    )
    first_seconds: float = Field(
        60, gt=0, le=3600, description="longest wait for the first word, seconds"
    )
    idle_seconds: float = Field(
        30, gt=0, le=3600, description="longest pause within an answer, seconds"
    )
    tries: int = Field(4, ge=1, description="most requests for one answer")
    retry_seconds: float = Field(
        90, ge=0, le=3600, description="no new attempt after this time, seconds"
    )
    transcribe_seconds: float = Field(
        120, gt=0, le=3600, description="longest time to transcribe one video, seconds"
    )

    @field_validator("gpt4v_version")
    @classmethod
    def _had_enhancements(cls, value: str) -> str:
        if value not in GPT4V_VERSIONS:
            versions = " and ".join(GPT4V_VERSIONS)
            raise ValueError(f"only {versions} had vision enhancements")
        return value

    @field_validator("models")
    @classmethod
    def _are_models(cls, value: str) -> str:
        names = [_choice(item).name for item in listed(value)]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"it names {min(twice)} twice")
        return value

    @model_validator(mode="after")
    def _make_sense_together(self) -> ModelSettings:
        if self.azure_endpoint and self._openai_sign:
            raise ValueError(
                f"AZURE_OPENAI_ENDPOINT has the value {self.azure_endpoint!r} and "
                f"{self._openai_sign}: these are two providers, please set only one"
            )
        if self.api == "gpt4v-extensions" and not (self.azure_endpoint and self.azure_key):
            raise ValueError(
                "LOUPE_MODEL_API has the value 'gpt4v-extensions', which was Azure OpenAI's only "
                "and took a key: please set AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_API_KEY"
            )
        if self.api == "chat" and not self.provider:
            raise ValueError(
                "LOUPE_MODEL_API has the value 'chat' but there is no provider: please set "
                "AZURE_OPENAI_ENDPOINT or OPENAI_BASE_URL, or OPENAI_API_KEY and OPENAI_MODEL"
            )
        if not self.offline and not self.choices:
            raise ValueError(self._lacks_a_model())
        if complaint := self._wrong_transcriber():
            raise ValueError(complaint)
        return self

    def _wrong_transcriber(self) -> str:
        """Return what is wrong with the provider of a transcription model; empty if nothing is."""
        azure, openai = "AZURE_OPENAI_TRANSCRIBE_DEPLOYMENT", "OPENAI_TRANSCRIBE_MODEL"
        if self.azure_transcribe and self.provider != "azure":
            remedy = f"{openai} instead" if self.provider else "AZURE_OPENAI_ENDPOINT"
            return (
                f"{azure} has the value {self.azure_transcribe!r} but Azure OpenAI is not "
                f"the provider: please set {remedy}"
            )
        if self.openai_transcribe and self.provider != "openai":
            providers = "OPENAI_BASE_URL, or OPENAI_API_KEY and OPENAI_MODEL"
            remedy = f"{azure} instead" if self.provider else providers
            return (
                f"{openai} has the value {self.openai_transcribe!r} but no OpenAI-compatible "
                f"server is the provider: please set {remedy}"
            )
        return ""

    def _lacks_a_model(self) -> str:
        name, value, single = (
            ("AZURE_OPENAI_ENDPOINT", self.azure_endpoint, "AZURE_OPENAI_DEPLOYMENT")
            if self.provider == "azure"
            else ("OPENAI_BASE_URL", self.openai_url, "OPENAI_MODEL")
        )
        return (
            f"{name} has the value {value!r} but no model is named: "
            f"please set {single} or LOUPE_MODELS"
        )

    @property
    def _openai_sign(self) -> str:
        """Which setting turns the OpenAI-compatible provider on; empty if none does."""
        if self.openai_url:
            return f"OPENAI_BASE_URL has the value {self.openai_url!r}"
        if self.openai_key and self.openai_model:
            return f"OPENAI_MODEL (with a key) has the value {self.openai_model!r}"
        if self.openai_key and self.models and not self.azure_endpoint:
            return f"LOUPE_MODELS (with a key) has the value {self.models!r}"
        return ""

    @property
    def provider(self) -> Provider:
        """The provider that is on, or "" when there is none."""
        if self.azure_endpoint:
            return "azure"
        return "openai" if self._openai_sign else ""

    @property
    def offline(self) -> bool:
        """Whether questions are answered without a language model."""
        return self.api == "offline" or not self.provider

    @property
    def choices(self) -> tuple[ModelChoice, ...]:
        """The models to choose from, the default first; LOUPE_MODELS prevails over a single one."""
        if self.offline:
            return (ModelChoice(OFFLINE),)
        single = self.azure_deployment if self.provider == "azure" else self.openai_model
        several = tuple(_choice(item) for item in listed(self.models))
        return several or ((ModelChoice(single),) if single else ())

    @property
    def transcribe_model(self) -> str:
        """The model that transcribes; empty where there is none, or all is answered offline."""
        if self.offline:
            return ""
        return self.azure_transcribe if self.provider == "azure" else self.openai_transcribe

    @property
    def base_url(self) -> str:
        """Where the provider's API is; of Azure the v1 API, whatever address the portal gave."""
        if self.provider != "azure":
            return self.openai_url or OPENAI_URL
        return f"{self.azure_root}/openai/v1/"

    @property
    def azure_root(self) -> str:
        """The Azure resource itself, whatever address of it the portal gave."""
        parts = urlsplit(self.azure_endpoint)
        path = re.sub(r"/openai(/.*)?$", "", parts.path).rstrip("/")
        return f"{parts.scheme}://{parts.netloc}{path}"


def _choice(item: str) -> ModelChoice:
    """Read `name[=family]`; raises `ValueError` for an empty name or an unknown family."""
    name, _, family = (part.strip() for part in item.partition("="))
    if not name:
        raise ValueError(f"{item!r} names no model")
    if family and family not in FAMILIES:
        raise ValueError(f"{family!r} is no known family, which are {', '.join(FAMILIES)}")
    return ModelChoice(name, family)
