"""`POST /api/messages`: where the Bot Framework delivers activities.

The response is 202 (200 with a body for an invoke) only after the message is stored; 400 if the
body is not JSON or not an activity, 401 if the sender is not authenticated, 403 for anyone but the
playground while no bot is configured, 408 for a slow and 413 for a large body. If the store is down
or no signing key was fetched yet, it is 503, so that the activity is delivered again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from aiohttp import web
from botbuilder.core import CloudAdapterBase

from adapters.http.json_fields import ID_LENGTH
from adapters.http.request_body import (
    BodyTooLarge,
    BodyTooSlow,
    MalformedBody,
    decode_json,
    read_body,
)
from adapters.http.urls import is_loopback_host, is_loopback_url
from adapters.teams.activity_handler import ActivityHandler
from adapters.teams.auth import TeamsAuthentication, TokenVerifier, Unauthenticated
from adapters.teams.schema import activity_from
from adapters.teams.signing_keys import KeysUnavailable, SigningKeys
from bot.errors import StoreDown

if TYPE_CHECKING:
    from botbuilder.schema import Activity

    from adapters.chat.declaration import Accept
    from adapters.teams.hosts import ConnectorHosts
    from adapters.teams.settings import TeamsSettings

log = structlog.get_logger()

PATH = "/api/messages"
BODY_SECONDS = 15.0
"""Longest time to read a body: the service gives up after 15 seconds.

https://learn.microsoft.com/azure/bot-service/bot-builder-howto-long-operations-guidance
"""
PROXY_HEADERS = frozenset(
    {
        "cf-connecting-ip",
        "client-ip",
        "forwarded",
        "true-client-ip",
        "via",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-original-host",
        "x-real-ip",
    }
)
"""Headers of proxies and tunnels, in addition to all that begin with `x-forwarded`."""


class Forbidden(PermissionError):
    """No bot is configured, and the request is not from the playground."""


STATUS: dict[type[Exception], int] = {
    MalformedBody: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    BodyTooSlow: 408,
    BodyTooLarge: 413,
    KeysUnavailable: 503,
    StoreDown: 503,
}


class Adapter(CloudAdapterBase):  # type: ignore[misc]
    """Runs botbuilder's pipeline for a turn.

    botbuilder's web integration is not used: it fails for every invoke that has a body, and returns
    500 for requests from strangers.
    """


class TeamsWebhook:
    """The route and its background work: mount `routes()`, then call `start` and `stop`."""

    def __init__(
        self,
        settings: TeamsSettings,
        keys: SigningKeys,
        accept: Accept,
        hosts: ConnectorHosts,
        other_names: frozenset[str],
    ) -> None:
        """Create the webhook; an activity that names a channel of `other_names` is forged."""
        self._settings = settings
        self._keys = keys
        self._tokens = TokenVerifier(settings, keys)
        self._authentication = TeamsAuthentication(settings, self._tokens, hosts)
        self._adapter = Adapter(self._authentication)
        self._handler = ActivityHandler(accept)
        self._other_names = other_names

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to add to the application."""
        return [web.post(PATH, self.receive)]

    async def start(self) -> None:
        """Start to fetch the signing keys, without waiting for them."""
        if self._settings.playground:
            log.info("teams_playground_mode", served="only programs on this machine")
        else:
            await self._keys.start()

    async def stop(self) -> None:
        """Stop the background work."""
        await self._keys.stop()

    async def receive(self, request: web.Request) -> web.Response:
        """Handle one delivery."""
        try:
            await self._admit(request)
            body = await read_body(request, self._settings.max_body_bytes, BODY_SECONDS)
            return await self._turn(self._activity(body), request.headers.get("Authorization", ""))
        except tuple(STATUS) as error:
            status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
            log.info("teams_delivery_refused", status=status, reason=str(error))
            return web.Response(status=status)

    async def _admit(self, request: web.Request) -> None:
        """Refuse a stranger before the body is read."""
        if not self._settings.playground:
            await self._tokens.verify(request.headers.get("Authorization", ""))
        elif why := playground_refusal(request):
            raise Forbidden(f"MicrosoftAppId is not set, and {why}")
        if request.content_type != "application/json":
            raise MalformedBody("the content type is not application/json")

    def _activity(self, body: bytearray) -> Activity:
        """Return the activity in a body; raises `MalformedBody`."""
        activity = activity_from(decode_json(body))
        if not activity.type:
            raise MalformedBody("the activity has no type")
        if not _names_conversation(activity):
            raise MalformedBody("the activity names no conversation")
        if activity.channel_id in self._other_names:
            raise MalformedBody("the activity names a channel of Loupe's own")
        return activity

    async def _turn(self, activity: Activity, header: str) -> web.Response:
        sender = await self._authentication.authenticate_request(activity, header)
        response = await self._adapter.process_activity(sender, activity, self._handler.on_turn)
        if response is None:
            return web.Response(status=202)
        return web.json_response(response.body, status=int(response.status))


def _names_conversation(activity: Activity) -> bool:
    conversation_id = activity.conversation and activity.conversation.id
    return bool(conversation_id) and len(conversation_id) <= ID_LENGTH


def playground_refusal(request: web.BaseRequest) -> str:
    """Return why a request is not from a program on this machine; empty if it is.

    Requests of web pages in the user's browser come from this machine too. They have an `Origin`
    header or, after DNS rebinding, a `Host` that does not name this machine.
    """
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if not isinstance(peer, tuple) or not is_loopback_host(str(peer[0])):
        return "the sender is not on this machine"
    if not is_loopback_url(f"http://{request.headers.get('Host', '')}"):
        return "the Host header does not name this machine"
    if "Origin" in request.headers:
        return "a web page sent it"
    if any(_is_of_proxy(header) for header in request.headers):
        return "a proxy or tunnel passed it on"
    return ""


def _is_of_proxy(header: str) -> bool:
    return header.lower() in PROXY_HEADERS or header.lower().startswith("x-forwarded")
