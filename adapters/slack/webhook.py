"""`POST /slack/events`: where Slack delivers events, interactions and slash commands.

Accepted, or nothing for Loupe → 200, only after it is stored. No signature of Slack's, or one
older than five minutes → 401. Not of a shape that Slack sends → 400. Too large → 413, too slow →
408. Store down, or the workspace not known yet → 503, so that it is delivered again.
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
"""Longest time for a body to arrive: Slack waits three seconds for the answer."""

WINDOW = 300
"""Seconds that a signature holds: https://docs.slack.dev/authentication/verifying-requests-from-slack/."""

NO_RETRY = {"X-Slack-No-Retry": "1"}
"""Keeps Slack from delivering again what would be refused again.

https://docs.slack.dev/apis/events-api/#error-handling
"""


class InvalidSignature(PermissionError):
    """Slack did not sign this, or not lately."""


STATUS: dict[type[Exception], int] = {
    MalformedBody: 400,
    InvalidSignature: 401,
    BodyTooSlow: 408,
    BodyTooLarge: 413,
}


class SlackWebhook:
    """The route; `clock` tells the seconds since the epoch."""

    def __init__(self, settings: SlackSettings, bot: SlackBot, clock: Clock | None = None) -> None:
        if settings.signing_secret is None:
            raise ValueError("events by HTTP need a signing secret")
        self._most = settings.max_body_bytes
        self._bot = bot
        self._clock = clock or Clock()
        self._verifier = SignatureVerifier(settings.signing_secret.get_secret_value(), self._clock)

    def routes(self) -> list[web.RouteDef]:
        """List the routes to add to the application."""
        return [web.post(PATH, self.receive)]

    async def receive(self, request: web.Request) -> web.Response:
        """Answer one delivery."""
        try:
            payload = await self._admit(request)
            return await to_aiohttp_response(await self._bot.dispatch(payload))
        except tuple(STATUS) as problem:
            status = STATUS[type(problem)]
            log.info("slack_delivery_refused", status=status, reason=str(problem))
            headers = None if isinstance(problem, BodyTooSlow) else NO_RETRY
            return web.Response(status=status, headers=headers)

    async def _admit(self, request: web.Request) -> dict[str, Any]:
        """Read what Slack signed; nothing of it is looked at before that is sure."""
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not signature.startswith("v0=") or not self._is_fresh(stamp):
            raise InvalidSignature("no signature of the last five minutes")
        body = bytes(await read_body(request, self._most, BODY_SECONDS))
        if not self._is_signed(body, stamp, signature):
            raise InvalidSignature("the signature is wrong")
        return _payload(body, request.content_type)

    def _is_fresh(self, stamp: str) -> bool:
        genuine = stamp.isascii() and stamp.isdigit() and len(stamp) <= TIME_LENGTH
        return genuine and abs(self._clock.now() - int(stamp)) <= WINDOW

    def _is_signed(self, body: bytes, stamp: str, signature: str) -> bool:
        """Compare signatures; the verifier raises for what cannot be text of Slack's."""
        try:
            return self._verifier.is_valid(body, stamp, signature)
        except (TypeError, ValueError):
            return False


def _payload(body: bytes, content_type: str) -> dict[str, Any]:
    """Read JSON, or a form that is a slash command or holds JSON as its `payload`."""
    if content_type == JSON:
        return decode_json(body)
    if content_type != FORM:
        raise MalformedBody("the content type is neither JSON nor a form")
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise MalformedBody("the body is no form") from error
    return decode_json(fields["payload"].encode()) if "payload" in fields else dict(fields)
