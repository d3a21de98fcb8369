"""`POST /slack/events`: where Slack delivers events, interactions and slash commands.

Accepted, or nothing for Loupe → 200, only after it is stored. No signature of Slack's, or one
older than five minutes → 401. Not in Slack's format → 400. Too large → 413, too slow → 408. Store
down, or the workspace not known yet → 503, so that Slack delivers again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_sdk.signature import Clock, SignatureVerifier

from adapters.http.request_body import (
    BodyTooLarge,
    BodyTooSlow,
    MalformedBody,
    decode_json,
    read_body,
)

if TYPE_CHECKING:
    from adapters.slack.bolt_app import SlackBot
    from adapters.slack.settings import SlackSettings

log = structlog.get_logger()

PATH = "/slack/events"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 50
"""Most fields of a form; Slack's slash commands have about fifteen."""
TIME_LENGTH = 20
BODY_SECONDS = 5.0
"""Longest time for a body to arrive; Slack itself waits three seconds for the response."""

SIGNATURE_SECONDS = 300
"""For how long a signature is valid: https://docs.slack.dev/authentication/verifying-requests-from-slack/."""

NO_RETRY = {"X-Slack-No-Retry": "1"}
"""Keeps Slack from repeating a delivery that would be refused again.

https://docs.slack.dev/apis/events-api/#error-handling
"""


class InvalidSignature(PermissionError):
    """There is no signature of Slack's, or it is too old."""


STATUS: dict[type[Exception], int] = {
    MalformedBody: 400,
    InvalidSignature: 401,
    BodyTooSlow: 408,
    BodyTooLarge: 413,
}


class SlackWebhook:
    """The route of the webhook; `clock` returns the seconds since the epoch."""

    def __init__(self, settings: SlackSettings, bot: SlackBot, clock: Clock | None = None) -> None:
        if settings.signing_secret is None:
            raise ValueError("events by HTTP need a signing secret")
        self._max_body_bytes = settings.max_body_bytes
        self._bot = bot
        self._clock = clock or Clock()
        self._verifier = SignatureVerifier(settings.signing_secret.get_secret_value(), self._clock)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to add to the application."""
        return [web.post(PATH, self.receive)]

    async def receive(self, request: web.Request) -> web.Response:
        """Respond to one delivery."""
        try:
            payload = await self._verified_payload(request)
            return await to_aiohttp_response(await self._bot.dispatch(payload))
        except tuple(STATUS) as problem:
            status = STATUS[type(problem)]
            log.info("slack_delivery_refused", status=status, reason=str(problem))
            headers = None if isinstance(problem, BodyTooSlow) else NO_RETRY
            return web.Response(status=status, headers=headers)

    async def _verified_payload(self, request: web.Request) -> dict[str, Any]:
        """Return the payload of a request; nothing is parsed before its signature is verified."""
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not signature.startswith("v0=") or not self._is_fresh(stamp):
            raise InvalidSignature("no signature of the last five minutes")
        body = bytes(await read_body(request, self._max_body_bytes, BODY_SECONDS))
        if not self._is_signed(body, stamp, signature):
            raise InvalidSignature("the signature is wrong")
        return _payload(body, request.content_type)

    def _is_fresh(self, stamp: str) -> bool:
        is_number = stamp.isascii() and stamp.isdigit() and len(stamp) <= TIME_LENGTH
        return is_number and abs(self._clock.now() - int(stamp)) <= SIGNATURE_SECONDS

    def _is_signed(self, body: bytes, stamp: str, signature: str) -> bool:
        """Return whether a signature is right; the verifier raises for malformed ones."""
        try:
            return self._verifier.is_valid(body, stamp, signature)
        except (TypeError, ValueError):
            return False


def _payload(body: bytes, content_type: str) -> dict[str, Any]:
    """Decode JSON, or a form: a slash command, or one with JSON as its `payload`."""
    if content_type == JSON:
        return decode_json(body)
    if content_type != FORM:
        raise MalformedBody("the content type is neither JSON nor a form")
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise MalformedBody("the body is not a form") from error
    return decode_json(fields["payload"].encode()) if "payload" in fields else dict(fields)
