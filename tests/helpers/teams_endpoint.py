"""The Bot Framework endpoint, called over HTTP as by the service or a stranger."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession, web

from adapters.teams.hosts import ConnectorHosts
from adapters.teams.schema import activity_from
from adapters.teams.settings import TeamsSettings
from adapters.teams.signing_keys import SigningKeys
from adapters.teams.webhook import TeamsWebhook
from bot.domain.messages import Message
from bot.errors import StoreDown
from tests.helpers.channel_services import OTHER_NAMES
from tests.payloads import payload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from botbuilder.schema import Activity

    from tests.servers.openid import OpenIdServer


APP_ID = "5f3c1d2e-0000-4000-8000-00000000b070"
SERVICE = "https://smba.trafficmanager.net/teams/"
TENANT = "72f988bf-0000-4000-8000-0000000000aa"
BOT = {"id": f"28:{APP_ID}", "name": "Test Bot"}


def activity(name: str, /, **changes: Any) -> Activity:
    """Return the activity of a payload."""
    return activity_from(payload(name, **changes))


def endpoint_settings(openid: OpenIdServer, **changes: Any) -> TeamsSettings:
    """Return the settings of a registered bot whose signing keys are on the tests' server."""
    values = {"app_id": APP_ID, "app_password": "not a real one", "openid_url": openid.url}
    return TeamsSettings(**{**values, **changes})


@dataclass
class RecordingInbox:
    """Records accepted messages, unless it is down."""

    messages: list[Message] = field(default_factory=list)
    down: bool = False

    async def accept(self, message: Message) -> None:
        if self.down:
            raise StoreDown
        self.messages.append(message)


@dataclass
class Endpoint:
    """A running endpoint and its inbox."""

    url: str
    port: int
    session: ClientSession
    webhook: TeamsWebhook
    inbox: RecordingInbox

    async def post(
        self, body: Any, token: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """Deliver a body (bytes as they are, else as JSON); returns status and text."""
        all_headers = {"Content-Type": "application/json", **(headers or {})}
        if token:
            all_headers["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.post(self.url, data=BytesIO(data), headers=all_headers) as response:
            return response.status, await response.text()


@asynccontextmanager
async def serve_endpoint(
    settings: TeamsSettings, other_names: frozenset[str] = OTHER_NAMES
) -> AsyncIterator[Endpoint]:
    """Run an endpoint in its own application on a free loopback port."""
    inbox = RecordingInbox()
    async with ClientSession() as session:
        keys = SigningKeys(session, settings.openid_url)
        webhook = TeamsWebhook(settings, keys, inbox.accept, ConnectorHosts(settings), other_names)
        application = web.Application()
        application.add_routes(webhook.routes())
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await webhook.start()
        port = runner.addresses[0][1]
        url = f"http://127.0.0.1:{port}/api/messages"
        try:
            yield Endpoint(url, port, session, webhook, inbox)
        finally:
            await webhook.stop()
            await runner.cleanup()
