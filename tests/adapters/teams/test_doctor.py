"""The checks of Microsoft's services for `loupe doctor`, and their errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from adapters.teams.access_token import TokenUnavailable
from adapters.teams.doctor import check_keys, check_token
from adapters.teams.settings import TeamsSettings
from tests.helpers.teams_connector import connector_settings
from tests.servers.teams import TeamsServer

if TYPE_CHECKING:
    from tests.servers.openid import OpenIdServer


async def test_the_token_is_fetched() -> None:
    async with TeamsServer() as teams:
        assert await check_token(connector_settings(teams)) == "Microsoft gives the bot its token."
    assert teams.tokens.token_count == 1


async def test_a_wrong_secret_is_told_in_the_service_s_words() -> None:
    async with TeamsServer() as teams:
        with pytest.raises(TokenUnavailable, match="AADSTS7000215: Invalid client secret") as error:
            await check_token(connector_settings(teams, app_password=SecretStr("not-the-secret")))
    assert "not-the-secret" not in str(error.value)


async def test_a_token_service_that_is_not_there_is_told() -> None:
    async with TeamsServer() as teams:
        settings = connector_settings(teams)
    with pytest.raises(TokenUnavailable, match="cannot be reached"):
        await check_token(settings)


async def test_the_signing_keys_are_fetched(openid: OpenIdServer) -> None:
    result = await check_keys(TeamsSettings(openid_url=openid.url))
    assert result == "The keys that sign Microsoft's messages are there."
    assert openid.fetches == 1


@pytest.mark.parametrize("wrong", [{"status": 503}, {"body": {"issuer": "nobody"}}])
async def test_signing_keys_that_do_not_come_are_told_with_their_address(
    openid: OpenIdServer, wrong: dict[str, object]
) -> None:
    for name, value in wrong.items():
        setattr(openid, name, value)
    with pytest.raises(OSError, match="no signing keys came from") as error:
        await check_keys(TeamsSettings(openid_url=openid.url))
    assert openid.url in str(error.value)
