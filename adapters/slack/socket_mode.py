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
"""Between two pings; after four without a pong the client counts the connection as lost."""
CHECK_SECONDS = 5.0
DOWN_SECONDS = 30.0
"""A client without a connection for longer is replaced by a new one."""
CLOSE_SECONDS = 5.0


class SocketMode:
    """Keeps a connection to Slack, and acknowledges its deliveries once they are stored.

    The client reconnects by itself, but can also hang silently, as when it keeps trying a URL
    that has expired. Then a new client takes its place.
    """

    def __init__(self, settings: SlackSettings, bot: SlackBot, clock: Clock | None = None) -> None:
        if settings.app_token is None:
            raise ValueError("Socket Mode needs an app token")
        self._token = settings.app_token.get_secret_value()
        self._api_url = settings.api_url
        self._bot = bot
        self._clock = clock or Clock()
        self._client: _Client | None = None
        self._connect_task: asyncio.Task[None] | None = None
        self._keep_task: asyncio.Task[None] | None = None
        self._is_connected = False

    @property
    def is_connected(self) -> bool:
        """Whether there was a connection at the last check."""
        return self._is_connected

    async def start(self) -> None:
        """Begin to connect, without waiting for the connection."""
        self._keep_task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Close the connection."""
        if self._keep_task:
            await end(self._keep_task)
        await self._close()

    async def _keep(self) -> None:
        """Run one client after the other."""
        while True:
            client = self._client = _Client(self._token, self._api_url)
            client.socket_mode_request_listeners.append(self._receive)
            self._connect_task = asyncio.create_task(client.connect())  # type: ignore[no-untyped-call]
            try:
                await self._watch(client)
            except Exception:  # Whatever the library raises, deliveries have to go on.
                log.exception("slack_socket_failed")
                await self._clock.sleep(CHECK_SECONDS)
            await self._close()

    async def _close(self) -> None:
        """Close the client, even if its connection no longer responds."""
        if self._connect_task:
            await end(self._connect_task)
        if self._client:
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._client.close()  # type: ignore[no-untyped-call]
            except Exception as error:  # As above.
                log.info("slack_socket_cut", error=type(error).__name__)
            await self._client.aiohttp_client_session.close()
        self._is_connected = False

    async def _watch(self, client: _Client) -> None:
        """Return when a client has been without a connection for too long."""
        last_contact = self._clock.now()
        while self._clock.now() - last_contact < DOWN_SECONDS:
            is_connected = await client.is_connected()
            if is_connected:
                last_contact = self._clock.now()
            if is_connected != self._is_connected:
                log.info("slack_socket", connected=is_connected)
            self._is_connected = is_connected
            await self._clock.sleep(CHECK_SECONDS)
        log.warning("slack_socket_down", seconds=round(DOWN_SECONDS))

    async def _receive(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Respond to one envelope; without a response Slack delivers it again.

        The client parses any JSON; decoding it once more limits its size and depth, and replaces
        lone surrogates, which could not be stored.
        """
        started_at = time.time()
        try:
            payload = decode_json(json.dumps(request.payload).encode())
            response = await self._bot.dispatch(payload)
        except MalformedBody as problem:
            log.info("slack_envelope_refused", reason=str(problem))
            response = BoltResponse(status=200)
        await send_async_response(client, request, response, started_at)


class _Client(SocketModeClient):
    """The library's client without its log, which could hold the connection's secret URL."""

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
        """Return the URL to connect to; a failure is logged for the operator and raised."""
        try:
            return await super().issue_new_wss_url()
        except SlackApiError as error:
            log.warning("slack_socket_refused", error=name(dig(error.response.data, "error")))
            raise
        except Exception as error:
            log.warning("slack_unreachable", error=type(error).__name__)
            raise
