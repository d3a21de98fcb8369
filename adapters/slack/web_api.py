"""Slack's Web API: calls within Slack's rates, retried if that does no harm.

https://docs.slack.dev/apis/web-api/
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from aiohttp import ClientConnectorError, ClientError, ConnectionTimeoutError
from aiohttp.hdrs import AUTHORIZATION
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.http.json_fields import dig, name
from adapters.http.rate_limit import RateLimiter
from adapters.slack.errors import TEMPORARY, THROTTLED, SlackError, error_for
from adapters.slack.workspaces import UnknownTeam, WorkspaceUnknown
from bot.clock import Clock
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown
from bot.retry import THROTTLED as TOO_MANY_REQUESTS
from bot.retry import AttemptFailed, RetryBudget, is_temporary, retry_after, retrying

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientSession

    from adapters.http.rate_limit import Rate
    from adapters.slack.settings import SlackLimits
    from adapters.slack.workspaces import Workspace, Workspaces

MINUTE = 60.0

TIER_2: tuple[Rate, ...] = ((20, MINUTE),)

TIER_3: tuple[Rate, ...] = ((50, MINUTE),)

TIER_4: tuple[Rate, ...] = ((100, MINUTE),)

PER_CHANNEL: tuple[Rate, ...] = ((1, 1.0),)
"""One post a second in each channel."""

RATES: Mapping[str, tuple[Rate, ...]] = MappingProxyType(
    {
        "agents.sessions.setStatus": TIER_3,
        "assistant.threads.setSuggestedPrompts": TIER_3,
        "chat.appendStream": TIER_4,
        "chat.postEphemeral": TIER_4,
        "chat.postMessage": PER_CHANNEL,
        "chat.startStream": TIER_2,
        "chat.stopStream": TIER_2,
        "chat.update": TIER_3,
        "conversations.replies": TIER_3,
        "files.completeUploadExternal": TIER_4,
        "files.getUploadURLExternal": TIER_4,
        "files.info": TIER_4,
        "users.info": TIER_4,
    }
)
"""Most calls of each method that Loupe calls, by one app in one workspace.

https://docs.slack.dev/apis/web-api/rate-limits/ lists the tiers, and the page of each method names
its own. That of `chat.startStream` is not documented; `chat.stopStream`, which follows each
start, is of tier 2.
"""

PAUSE = 1.0
"""Seconds without calls after a rate-limit error that names no wait."""


def bucket_of(team: str, method: str, channel: str) -> str:
    """Return the key under which Slack counts calls: by method and workspace, posts by channel."""
    names = (team, method, channel) if RATES[method] is PER_CHANNEL else (team, method)
    return " ".join(names)


@dataclass(frozen=True, slots=True)
class _Call:
    """A call; it is `repeatable` if making it twice does no harm."""

    method: str
    bucket: str
    token: str = field(repr=False)
    form: dict[str, str] = field(repr=False)
    repeatable: bool
    brief: bool


class SlackApi:
    """Calls methods with the token of a workspace, over one pooled session.

    A call that is not `repeatable` is retried only if it was certainly not carried out (429, no
    connection), any other after all temporary errors. The session's time-outs apply as well.
    """

    def __init__(
        self,
        session: ClientSession,
        workspaces: Workspaces,
        limits: SlackLimits,
        api_url: str,
        clock: Clock | None = None,
    ) -> None:
        # The client's own retry handlers would repeat posts after a lost connection.
        self._client = AsyncWebClient(
            base_url=api_url, session=session, retry_handlers=[], logger=_client_logger()
        )
        self._workspaces = workspaces
        self._limits = limits
        self._clock = clock or Clock()
        self._rate_limiter = RateLimiter(self._clock, longest=limits.send_seconds)

    async def call(
        self,
        team: str,
        method: str,
        *,
        repeatable: bool = False,
        brief: bool = False,
        **arguments: Any,
    ) -> dict[str, Any]:
        """Call a method of `RATES` for a workspace, and return the response.

        Arguments that are None are left out. A `brief` call is retried for a few seconds only and
        never waits for its rate, since the next call will carry the same text. Raises
        `DeliveryUnknown`, `ConversationGone` and `DeliveryRefused` (`MessageTooLong`,
        `StreamExpired`, `StreamUnavailable`, `StillStreaming`, other `SlackError`).
        """
        token = (await self._workspace(team)).token
        bucket = bucket_of(team, method, str(arguments.get("channel", "")))
        call = _Call(method, bucket, token, _form(arguments), repeatable, brief)
        policy = self._limits.brief_policy if brief else self._limits.retry_policy
        budget = RetryBudget(policy, self._clock)
        return await retrying(lambda: self._attempt(call), budget, "slack_failed", method=method)

    async def _workspace(self, team: str) -> Workspace:
        try:
            return await self._workspaces.of(team)
        except UnknownTeam:
            raise ConversationGone("Loupe is not installed in the workspace") from None
        except WorkspaceUnknown:
            raise DeliveryRefused("the workspace is not known yet") from None

    async def _attempt(self, call: _Call) -> dict[str, Any]:
        """Make one attempt as soon as the rate of the method allows it."""
        rates, hold = RATES[call.method], self._rate_limiter.hold_left(call.bucket)
        if hold > self._limits.send_seconds:
            problem: Exception = SlackError(TOO_MANY_REQUESTS, "held", after=hold)
            raise AttemptFailed(problem, retry=False)
        if call.brief and self._rate_limiter.delay(call.bucket, rates) > 0:
            raise AttemptFailed(SlackError(0, "no_room"), retry=False)
        await self._rate_limiter.turn(call.bucket, rates)
        try:
            async with asyncio.timeout(self._limits.request_seconds):
                return await self._send(call)
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            problem = SlackError(0, type(error).__name__)
            raise AttemptFailed(problem, retry=True) from None
        # ValueError and AttributeError: the body is not a JSON object.
        except (ClientError, OSError, ValueError, AttributeError) as error:
            problem = DeliveryUnknown(type(error).__name__)
            raise AttemptFailed(problem, retry=call.repeatable) from None

    async def _send(self, call: _Call) -> dict[str, Any]:
        headers = {AUTHORIZATION: f"Bearer {call.token}"}
        try:
            response = await self._client.api_call(call.method, data=call.form, headers=headers)
        except SlackApiError as error:
            status, code, wait = _error_of(error.response)
            raise self._failure(call, status, code, wait) from None
        if not isinstance(response.data, dict):
            raise ValueError("not a JSON object")
        return response.data

    def _failure(self, call: _Call, status: int, error: str, wait: float | None) -> AttemptFailed:
        """Return the failure that an error response means; after throttling, later calls wait."""
        if status == TOO_MANY_REQUESTS or error in THROTTLED:
            self._rate_limiter.hold(call.bucket, PAUSE if wait is None else wait)
            throttled = SlackError(status, error, after=wait or 0.0)
            soon = (wait or 0.0) <= self._limits.send_seconds
            return AttemptFailed(throttled, retry=soon and not call.brief, requested_wait=wait)
        no_json = status == 0 or (status == 200 and not error)
        if no_json or is_temporary(status) or error in TEMPORARY:
            unclear = DeliveryUnknown(f"{status} {error}")
            return AttemptFailed(unclear, retry=call.repeatable, requested_wait=wait)
        return AttemptFailed(error_for(call.method, status, error), retry=False)


def _error_of(response: Any) -> tuple[int, str, float | None]:
    """Return the HTTP status, the error code and the requested wait (s) of an error response.

    If its body is not JSON, the response is aiohttp's own.
    """
    if isinstance(response, AsyncSlackResponse):
        headers: Mapping[str, str] = response.headers
        return response.status_code, name(dig(response.data, "error")), retry_after(headers)
    return int(response.status), "", retry_after(response.headers)


def _form(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return arguments as a form, which every method accepts; other values than text are JSON."""
    values = {key: value for key, value in arguments.items() if value is not None}
    return {
        key: _encodable(value) if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
    }


def _encodable(text: str) -> str:
    """Return a text without lone surrogates, which no form can hold."""
    return text.encode(errors="replace").decode()


def _client_logger() -> logging.Logger:
    """Return a logger without the debug messages of the client, which hold whole bodies."""
    logger = logging.getLogger("slack_sdk.web")
    logger.setLevel(logging.WARNING)
    return logger
