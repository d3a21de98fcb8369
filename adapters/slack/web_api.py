"""Slack's Web API: one call at a time, paced, repeated where that does no harm.

https://docs.slack.dev/apis/web-api/
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import ClientConnectorError, ClientError, ConnectionTimeoutError
from aiohttp.hdrs import AUTHORIZATION
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.http.json_fields import dig, name
from adapters.http.rate_limit import RateLimiter
from adapters.http.retry import Failed, Retries, insist, retry_after
from adapters.slack.errors import PASSING, THROTTLED, SlackError, refusal
from adapters.slack.rate_limits import RATES, line
from adapters.slack.workspaces import UnknownTeam, WorkspaceUnknown
from bot.clock import Clock
from bot.ports.channel import ConversationGone, DeliveryRefused, DeliveryUnknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientSession

    from adapters.slack.limits import SlackLimits
    from adapters.slack.workspaces import Workspace, Workspaces

PAUSE = 1.0
"""Seconds to be quiet after a refusal for the rate that does not say for how long."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A call to make; `repeatable` tells whether doing it twice does no harm."""

    method: str
    line: str
    token: str = field(repr=False)
    form: dict[str, str] = field(repr=False)
    repeatable: bool
    brief: bool


class SlackApi:
    """Calls methods with the token of a workspace, over one pooled session.

    A call that is not `repeatable` is repeated only where it surely was not done (429, no
    connection); any other on all passing errors. The session's own time-outs hold too.
    """

    def __init__(
        self,
        session: ClientSession,
        workspaces: Workspaces,
        limits: SlackLimits,
        api_url: str,
        clock: Clock | None = None,
    ) -> None:
        # The handlers of the client's own would repeat posts after a lost connection.
        self._client = AsyncWebClient(
            base_url=api_url, session=session, retry_handlers=[], logger=_quiet()
        )
        self._workspaces = workspaces
        self._limits = limits
        self._clock = clock or Clock()
        self._pacer = RateLimiter(self._clock, most=limits.send_seconds)

    async def call(
        self,
        team: str,
        method: str,
        *,
        repeatable: bool = False,
        brief: bool = False,
        **arguments: Any,
    ) -> dict[str, Any]:
        """Call a method of `RATES` for a workspace; returns Slack's answer.

        Arguments that are None are left out. A `brief` call asks for less patience and never
        waits for its rate: the next one will carry what it had to say. Raises `DeliveryUnknown`,
        `ConversationGone` and `DeliveryRefused` (`MessageTooLong`, `StreamExpired`,
        `StreamUnavailable`, `StillStreaming`, other `SlackError`).
        """
        token = (await self._workspace(team)).token
        counted = line(team, method, str(arguments.get("channel", "")))
        call = _Call(method, counted, token, _form(arguments), repeatable, brief)
        patience = self._limits.brief if brief else self._limits.patience
        retries = Retries(patience, self._clock)
        return await insist(lambda: self._in_turn(call), retries, "slack_failed", method=method)

    async def _workspace(self, team: str) -> Workspace:
        try:
            return await self._workspaces.of(team)
        except UnknownTeam:
            raise ConversationGone("the workspace is not known") from None
        except WorkspaceUnknown:
            raise DeliveryRefused("Slack has not told yet who Loupe is") from None

    async def _in_turn(self, call: _Call) -> dict[str, Any]:
        """Try once, when the rate of the method has room."""
        rates, held = RATES[call.method], self._pacer.held(call.line)
        if held > self._limits.send_seconds:
            raise Failed(SlackError(429, "held", after=held), again=False)
        if call.brief and not self._pacer.room(call.line, rates):
            raise Failed(SlackError(0, "no_room"), again=False)
        await self._pacer.turn(call.line, rates)
        try:
            async with asyncio.timeout(self._limits.request_seconds):
                return await self._answer(call)
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            problem: Exception = SlackError(0, type(error).__name__)
            raise Failed(problem, again=True) from None
        # The client stumbles over a body that is no JSON object in these two ways.
        except (ClientError, OSError, ValueError, AttributeError) as error:
            problem = DeliveryUnknown(type(error).__name__)
            raise Failed(problem, again=call.repeatable) from None

    async def _answer(self, call: _Call) -> dict[str, Any]:
        headers = {AUTHORIZATION: f"Bearer {call.token}"}
        try:
            answer = await self._client.api_call(call.method, data=call.form, headers=headers)
        except SlackApiError as error:
            status, told, asked = _told(error.response)
            raise self._failed(call, status, told, asked) from None
        if not isinstance(answer.data, dict):
            raise ValueError("not a JSON object")
        return answer.data

    def _failed(self, call: _Call, status: int, error: str, asked: float | None) -> Failed:
        """Tell what an answer that is no success means for the call, and for those to come."""
        if status == 429 or error in THROTTLED:
            self._pacer.hold(call.line, PAUSE if asked is None else asked)
            throttled = SlackError(status, error, after=asked or 0.0)
            soon = (asked or 0.0) <= self._limits.send_seconds
            return Failed(throttled, again=soon and not call.brief, asked=asked)
        if status in {0, 408} or status >= 500 or error in PASSING or (status == 200 and not error):
            return Failed(DeliveryUnknown(f"{status} {error}"), again=call.repeatable, asked=asked)
        return Failed(refusal(call.method, status, error), again=False)


def _told(response: Any) -> tuple[int, str, float | None]:
    """Read HTTP's status, Slack's word and the seconds asked for from a refusing response.

    Where the body was no JSON it is aiohttp's own response.
    """
    if isinstance(response, AsyncSlackResponse):
        headers: Mapping[str, str] = response.headers
        return response.status_code, name(dig(response.data, "error")), retry_after(headers)
    return int(response.status), "", retry_after(response.headers)


def _form(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Write arguments as a form, which every method takes: what is no text as JSON."""
    given = {key: value for key, value in arguments.items() if value is not None}
    return {
        key: _encodable(value) if isinstance(value, str) else json.dumps(value)
        for key, value in given.items()
    }


def _encodable(text: str) -> str:
    """Replace halves of characters, of which no form can be made."""
    return text.encode(errors="replace").decode()


def _quiet() -> logging.Logger:
    """Give the client a log that no bodies get into, and that none are formatted for."""
    logger = logging.getLogger("slack_sdk.web")
    logger.setLevel(logging.WARNING)
    return logger
