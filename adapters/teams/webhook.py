"""`POST /api/messages`: where the Bot Framework delivers activities.

Accepted → 202 (an invoke: 200 with its answer), only after the message is stored. Not JSON, or
no activity → 400. No proof of the sender → 401, and 403 where no bot is configured. Too large →
413, too slow → 408. Store down, or no signing key fetched yet → 503, so that it is delivered
again.
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
from adapters.teams import playground
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
"""Longest time for a body to arrive: the service gives up after 15 seconds.

https://learn.microsoft.com/azure/bot-service/bot-builder-howto-long-operations-guidance
"""


class Forbidden(PermissionError):
    """No bot is configured, and this is not the playground."""


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
    """botbuilder's frame around a turn; its web integration is not used.

    That one fails for every invoke with a body, and answers 500 to what strangers send.
    """


class TeamsWebhook:
    """The route, and the background work it needs. Mount `routes()`, then `start` and `stop`."""

    def __init__(
        self,
        settings: TeamsSettings,
        keys: SigningKeys,
        accept: Accept,
        hosts: ConnectorHosts,
        other_names: frozenset[str],
    ) -> None:
        """Take `accept`, and the names of channels that the Bot Framework does not bring.

        An activity that names one of these is forged.
        """
        self._settings = settings
        self._keys = keys
        self._tokens = TokenVerifier(settings, keys)
        self._authentication = TeamsAuthentication(settings, self._tokens, hosts)
        self._adapter = Adapter(self._authentication)
        self._bot = ActivityHandler(accept)
        self._other_names = other_names

    def routes(self) -> list[web.RouteDef]:
        """List the routes to add to the application."""
        return [web.post(PATH, self.receive)]

    async def start(self) -> None:
        """Begin to fetch the signing keys; does not wait for them."""
        if self._settings.playground:
            log.info("teams_playground_mode", served="only programs on this machine")
        else:
            await self._keys.start()

    async def stop(self) -> None:
        """End the background work."""
        await self._keys.stop()

    async def receive(self, request: web.Request) -> web.Response:
        """Answer one delivery."""
        try:
            await self._admit(request)
            body = await read_body(request, self._settings.max_body_bytes, BODY_SECONDS)
            return await self._turn(self._activity(body), request.headers.get("Authorization", ""))
        except tuple(STATUS) as problem:
            status = next(STATUS[kind] for kind in type(problem).__mro__ if kind in STATUS)
            log.info("teams_delivery_refused", status=status, reason=str(problem))
            return web.Response(status=status)

    async def _admit(self, request: web.Request) -> None:
        """Refuse strangers before their body is read."""
        if not self._settings.playground:
            await self._tokens.verify(request.headers.get("Authorization", ""))
        elif why := playground.refusal(request):
            raise Forbidden(f"MicrosoftAppId is not set, and {why}")
        if request.content_type != "application/json":
            raise MalformedBody("the content type is not application/json")

    def _activity(self, body: bytearray) -> Activity:
        """Read a body into botbuilder's schema; raises `MalformedBody`."""
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
        answer = await self._adapter.process_activity(sender, activity, self._bot.on_turn)
        if answer is None:
            return web.Response(status=202)
        return web.json_response(answer.body, status=int(answer.status))


def _names_conversation(activity: Activity) -> bool:
    place = activity.conversation and activity.conversation.id
    return bool(place) and len(place) <= ID_LENGTH
