"""Socket Mode: Slack delivers through a WebSocket that Loupe opened.

https://docs.slack.dev/apis/events-api/using-socket-mode/
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import TYPE_CHECKING

import structlog
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from adapters.http.json_fields import dig, name
from adapters.http.request_body import MalformedBody, decode_json
from bot.aio import end
from bot.clock import Clock

if TYPE_CHECKING:
    from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

    from adapters.slack.bolt_app import SlackBot
    from adapters.slack.settings import SlackSettings

log = structlog.get_logger()

PING_SECONDS = 10.0
"""Between two pings; after four without an answer the client calls a connection lost."""
LOOK_SECONDS = 5.0
DOWN_SECONDS = 30.0
"""A client that is without connection for longer is replaced by a new one."""
CLOSE_SECONDS = 5.0


class SocketMode:
    """Keeps a connection to Slack, and answers what comes through it once it is stored.

    The client connects again by itself, but some of its ways end in silence, such as trying an
    address that has expired for ever. Then a new client takes its place.
    """

    def __init__(self, settings: SlackSettings, bot: SlackBot, clock: Clock | None = None) -> None:
        if settings.app_token is None:
            raise ValueError("Socket Mode needs an app token")
        self._token = settings.app_token.get_secret_value()
        self._api_url = settings.api_url
        self._bot = bot
        self._clock = clock or Clock()
        self._client: _Client | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._alive = False

    @property
    def alive(self) -> bool:
        """Whether there was a connection when it was last looked at."""
        return self._alive

    async def start(self) -> None:
        """Begin to connect; does not wait for it."""
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Close the connection."""
        if self._keeping:
            await end(self._keeping)
        await self._close()

    async def _keep(self) -> None:
        """Have one client after the other."""
        while True:
            client = self._client = _Client(self._token, self._api_url)
            client.socket_mode_request_listeners.append(self._take)
            self._connecting = asyncio.create_task(client.connect())  # type: ignore[no-untyped-call]
            try:
                await self._watch(client)
            except Exception:  # Whatever the library fails with, Slack has to be heard again.
                log.exception("slack_socket_failed")
                await self._clock.sleep(LOOK_SECONDS)
            await self._close()

    async def _close(self) -> None:
        """Close the client, even if its connection is no longer answering."""
        if self._connecting:
            await end(self._connecting)
        if self._client:
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._client.close()  # type: ignore[no-untyped-call]
            except Exception as error:  # As above.
                log.info("slack_socket_cut", error=type(error).__name__)
            await self._client.aiohttp_client_session.close()
        self._alive = False

    async def _watch(self, client: _Client) -> None:
        """Look after a client until it was without connection for too long."""
        since = self._clock.now()
        while self._clock.now() - since < DOWN_SECONDS:
            connected = await client.is_connected()
            if connected:
                since = self._clock.now()
            if connected != self._alive:
                log.info("slack_socket", connected=connected)
            self._alive = connected
            await self._clock.sleep(LOOK_SECONDS)
        log.warning("slack_socket_down", seconds=round(DOWN_SECONDS))

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Answer one envelope; without an answer Slack delivers it again.

        The client reads JSON as it comes; ours bounds it, and mends halves of characters, of which
        nothing could be stored.
        """
        began = time.time()
        try:
            payload = decode_json(json.dumps(request.payload).encode())
            response = await self._bot.dispatch(payload)
        except MalformedBody as problem:
            log.info("slack_envelope_refused", reason=str(problem))
            response = BoltResponse(status=200)
        await send_async_response(client, request, response, began)


class _Client(SocketModeClient):
    """The library's client, whose log could hold the address of the connection, a secret."""

    def __init__(self, token: str, api_url: str) -> None:
        logger = logging.getLogger("slack_sdk.socket_mode")
        logger.setLevel(logging.CRITICAL)
        super().__init__(
            app_token=token,
            logger=logger,
            web_client=AsyncWebClient(base_url=api_url, logger=logger, retry_handlers=[]),
            ping_interval=PING_SECONDS,
        )

    async def issue_new_wss_url(self) -> str:
        """Ask for the address to connect to, and tell the operator why there is none."""
        try:
            return await super().issue_new_wss_url()
        except SlackApiError as error:
            log.warning("slack_socket_refused", error=name(dig(error.response.data, "error")))
            raise
        except Exception as error:
            log.warning("slack_unreachable", error=type(error).__name__)
            raise
