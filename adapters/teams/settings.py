"""Settings of the Azure Bot: its identity, whom it serves, and where its services are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict
from yarl import URL

from adapters.chat.send_settings import SendLimits
from bot.settings import MIB, Section, WebAddress, listed

ISSUER = "https://api.botframework.com"
ISSUERS = {
    "login.botframework.azure.us": "https://api.botframework.us",
    "login.botframework.azure.cn": "https://api.botframework.azure.cn",
}
"""The Bot Framework in other clouds, by the host of `openid_url`."""

AppType = Literal["SingleTenant", "MultiTenant", "UserAssignedMSI"]
APP_TYPES: dict[str, AppType] = {
    "singletenant": "SingleTenant",
    "multitenant": "MultiTenant",
    "userassignedmsi": "UserAssignedMSI",
}


def _app_type(value: str) -> AppType:
    """Return a type of app by its name in any case, as botbuilder accepts it."""
    try:
        return APP_TYPES[value.strip().lower()]
    except KeyError:
        raise ValueError(f"it must be one of {', '.join(APP_TYPES.values())}") from None


def _names(value: str) -> frozenset[str]:
    return frozenset(listed(value.lower()))


class TeamsSettings(Section):
    """The settings of the bot; without an app id, only the playground is served.

    The names that begin with `Microsoft` are those of Microsoft's own samples. `UserAssignedMSI`
    needs no password.
    """

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    app_id: str = Field("", validation_alias="MicrosoftAppId", description="the bot's app id")
    app_password: SecretStr | None = Field(
        None, validation_alias="MicrosoftAppPassword", description="the bot's client secret"
    )
    app_type: Annotated[AppType, BeforeValidator(_app_type)] = Field(
        "MultiTenant",
        validation_alias="MicrosoftAppType",
        description="SingleTenant, MultiTenant or UserAssignedMSI",
    )
    app_tenant: str = Field(
        "", validation_alias="MicrosoftAppTenantId", description="the tenant the bot belongs to"
    )
    tenants: str = Field(
        "",
        description="tenants to serve, comma separated; "
        "if unset, the bot's own, or all for MultiTenant",
    )
    connector_hosts: str = Field(
        "", description="more hosts that may receive the bot's token, comma separated"
    )
    openid_url: WebAddress = Field(
        "https://login.botframework.com/v1/.well-known/openidconfiguration",
        description="address that lists the Bot Framework's signing keys",
    )
    token_url: WebAddress = Field(
        "https://login.microsoftonline.com", description="address from which the bot gets its token"
    )
    max_body_bytes: int = Field(
        4 * MIB, ge=1024, description="largest request body, bytes, including data URIs"
    )

    @model_validator(mode="after")
    def _complete(self) -> TeamsSettings:
        """Raise `ValueError` for an app id without the settings that its type needs."""
        if not self.app_id:
            return self
        if self.app_type != "UserAssignedMSI" and not self.app_password:
            raise ValueError(self._missing_message("MicrosoftAppPassword"))
        if self.app_type != "MultiTenant" and not self.app_tenant:
            raise ValueError(self._missing_message("MicrosoftAppTenantId"))
        return self

    def _missing_message(self, name: str) -> str:
        return (
            f"MicrosoftAppId has the value {self.app_id!r} but {name} is not set: "
            f"a bot of MicrosoftAppType {self.app_type} needs it"
        )

    @property
    def issuer(self) -> str:
        """The issuer and audience of tokens in the cloud of `openid_url`."""
        return ISSUERS.get(URL(self.openid_url).host or "", ISSUER)

    @property
    def playground(self) -> bool:
        """Whether no bot is configured, so that only a local playground or Emulator is served."""
        return not self.app_id

    @property
    def served_tenants(self) -> frozenset[str]:
        """Tenant ids in lower case; empty means all.

        These are the ids in LOUPE_TENANTS, or else the bot's own tenant unless it is MultiTenant.
        """
        if tenants := _names(self.tenants):
            return tenants
        own = "" if self.app_type == "MultiTenant" or self.playground else self.app_tenant
        return _names(own)

    @property
    def listed_hosts(self) -> frozenset[str]:
        """The hosts (or `host:port`) of LOUPE_CONNECTOR_HOSTS in lower case."""
        return _names(self.connector_hosts)


class TeamsLimits(SendLimits):
    """Limits and paces of sends; the defaults follow Microsoft's documentation.

    https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
    https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux
    """

    model_config = SettingsConfigDict(env_prefix="LOUPE_TEAMS_")

    text_limit: int = Field(
        20_000,
        ge=1_000,
        le=20_000,
        description="most characters of one message; Teams accepts 80 KB",
    )
    stream_seconds: float = Field(
        110,
        gt=0,
        description="a stream is closed after this time and edits continue, seconds; "
        "Teams ends it at 120",
    )
    file_hours: float = Field(24, gt=0, description="an offered file is kept for this many hours")
    file_bytes: int = Field(20 * MIB, gt=0, description="largest file to offer, bytes")
