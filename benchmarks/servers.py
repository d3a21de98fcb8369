"""The servers that are compared; each runs in a process of its own.

    python -m benchmarks.servers loupe|botbuilder|bolt|aiohttp

It prints its origin when it is ready, answers each line on standard input with what was seen
since the line before (`benchmarks.watch.Seen` as JSON), and ends with the input. Loupe takes its
settings from the environment as always, the others the names among them that they need.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import re
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from benchmarks.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from aiohttp.typedefs import Handler

PATH = "/api/messages"


@asynccontextmanager
async def loupe() -> AsyncIterator[str]:
    """Run the whole bot as `loupe serve` does."""
    from bot import app, logs
    from bot.app_settings import read_settings
    from bot.cli.serve import freeze_garbage
    from bot.redaction import secrets_of

    settings = read_settings()
    logs.configure(settings.core.log_level, secrets=secrets_of(*settings.sections))
    async with app.serving(settings) as address:
        freeze_garbage()
        match = re.search(r"http://[\w.]+:\d+", address)
        assert match
        yield match[0]


@asynccontextmanager
async def botbuilder() -> AsyncIterator[str]:
    """Run botbuilder's `CloudAdapter` as it comes, with a bot that does nothing.

    Everything is configured as for the public cloud but the address of the signing keys.
    """
    from botbuilder.core import ActivityHandler
    from botbuilder.integration.aiohttp import (
        CloudAdapter,
        ConfigurationBotFrameworkAuthentication,
    )
    from botframework.connector.auth import AuthenticationConstants, CallerIdConstants

    class Configuration:
        APP_ID = os.environ["MicrosoftAppId"]  # noqa: SIM112
        APP_PASSWORD = os.environ["MicrosoftAppPassword"]  # noqa: SIM112
        TO_CHANNEL_FROM_BOT_LOGIN_URL = AuthenticationConstants.TO_CHANNEL_FROM_BOT_LOGIN_URL_PREFIX
        TO_CHANNEL_FROM_BOT_OAUTH_SCOPE = AuthenticationConstants.TO_CHANNEL_FROM_BOT_OAUTH_SCOPE
        TO_BOT_FROM_CHANNEL_TOKEN_ISSUER = AuthenticationConstants.TO_BOT_FROM_CHANNEL_TOKEN_ISSUER
        TO_BOT_FROM_CHANNEL_OPENID_METADATA_URL = os.environ["LOUPE_OPENID_URL"]
        CALLER_ID = CallerIdConstants.public_azure_channel

    adapter = CloudAdapter(ConfigurationBotFrameworkAuthentication(Configuration))
    bot = ActivityHandler()

    async def receive(request: web.Request) -> web.StreamResponse:
        return await adapter.process(request, bot)  # type: ignore[no-any-return]

    async with _listening(receive) as origin:
        yield origin


@asynccontextmanager
async def bolt() -> AsyncIterator[str]:
    """Run Slack's Bolt as its documentation has it, with a listener that does nothing."""
    from slack_bolt.async_app import AsyncApp

    app = AsyncApp(
        token=os.environ["SLACK_BOT_TOKEN"], signing_secret=os.environ["SLACK_SIGNING_SECRET"]
    )
    app.client.base_url = f"{os.environ['SLACK_API_URL']}/"

    @app.event("message")
    async def heard() -> None:
        """Hear a message, and do nothing."""

    async with _serving(app.web_app("/slack/events")) as origin:
        yield origin


@asynccontextmanager
async def bare() -> AsyncIterator[str]:
    """Run a handler that reads the JSON and answers: the least that any server would do."""

    async def receive(request: web.Request) -> web.StreamResponse:
        await request.json()
        return web.Response(status=202)

    async with _listening(receive) as origin:
        yield origin


@asynccontextmanager
async def _listening(receive: Handler) -> AsyncIterator[str]:
    app = web.Application()
    for path in (PATH, "/slack/events"):
        app.router.add_post(path, receive)
    async with _serving(app) as origin:
        yield origin


@asynccontextmanager
async def _serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


SERVERS: dict[str, Callable[[], AbstractAsyncContextManager[str]]] = {
    "loupe": loupe,
    "botbuilder": botbuilder,
    "bolt": bolt,
    "aiohttp": bare,
}


async def main(name: str) -> None:
    async with SERVERS[name]() as origin, Watch() as watch:
        print(origin, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(dataclasses.asdict(watch.look())), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
