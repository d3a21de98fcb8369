"""The Bot Connector's REST interface: posts, edits and deletes in a conversation.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiohttp import ClientConnectorError, ClientError, ClientTimeout, ConnectionTimeoutError
from aiohttp.hdrs import AUTHORIZATION
from aiohttp.payload import BytesIOPayload, JsonPayload
from yarl import URL

from adapters.http.rate_limit import RateLimiter
from adapters.http.retry import Failed, Retries, insist, retry_after
from adapters.teams.errors import SEQUENCE_CODE, ConnectorError, StreamRefused, refusal, told
from bot.clock import Clock
from bot.ports.channel import ConversationGone, DeliveryUnknown

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from aiohttp.payload import Payload

    from adapters.http.rate_limit import Rate
    from adapters.http.retry import RetryPolicy
    from adapters.teams.access_token import BotToken
    from adapters.teams.hosts import ConnectorHosts
    from adapters.teams.limits import TeamsLimits

JSON = "application/json"
NOT_NOW = {412, 429}
"""Surely not taken: even a post may be repeated."""
PASSING = {408, 500, 502, 503, 504}
"""Perhaps taken: only what can be done twice may be repeated."""
RATES: tuple[Rate, ...] = ((7, 1.0), (8, 2.0), (60, 30.0), (1800, 3600.0))
"""Most sends in so many seconds, for one bot in one conversation:
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
"""


@dataclass(frozen=True, slots=True)
class _Call:
    """A request to make; `repeatable` tells whether doing it twice does no harm.

    The body is the activity, or its JSON where somebody has written that already.
    """

    method: str
    service: str
    url: URL
    conversation: str
    activity: dict[str, Any] | bytes | None
    repeatable: bool

    def payload(self) -> Payload | None:
        """Make the body for one try; a large one is sent in pieces."""
        if self.activity is None:
            return None
        if isinstance(self.activity, bytes):
            return BytesIOPayload(io.BytesIO(self.activity), content_type=JSON)
        return JsonPayload(self.activity)


class Connector:
    """Speaks to the connector that an activity came from, over one pooled session.

    A post is repeated only where it surely was not taken (429, 412, no connection); an edit or
    delete on any passing error. The token goes to known connectors only.
    """

    def __init__(
        self,
        session: ClientSession,
        token: BotToken,
        hosts: ConnectorHosts,
        limits: TeamsLimits,
        clock: Clock | None = None,
    ) -> None:
        self._session = session
        self._token = token
        self._hosts = hosts
        self._limits = limits
        self._clock = clock or Clock()
        self._pacer = RateLimiter(self._clock, most=limits.send_seconds)
        self._timeout = ClientTimeout(
            total=limits.request_seconds, sock_connect=limits.request_seconds / 2
        )

    async def post(
        self,
        service: str,
        conversation: str,
        activity: dict[str, Any] | bytes,
        *,
        repeatable: bool = False,
        brief: bool = False,
    ) -> str:
        """Post an activity, or its JSON; returns its id, empty where the channel gives none.

        Raises `DeliveryUnknown`, `ConversationGone` and `DeliveryRefused` (`ActivityTooLarge`,
        `StreamRefused`, other `ConnectorError`). `repeatable` says that the service itself tells a
        repetition apart; `brief` asks for less patience.
        """
        url = _activities(service, conversation)
        call = _Call("POST", service, url, conversation, activity, repeatable)
        return str((await self._do(call, self._patience(brief))).get("id") or "")

    async def put(
        self,
        service: str,
        conversation: str,
        sent: str,
        activity: dict[str, Any],
        *,
        brief: bool = False,
    ) -> str:
        """Replace an activity of ours, with less patience when `brief`; raises as `post` does."""
        url = _activities(service, conversation, sent)
        call = _Call("PUT", service, url, conversation, activity | {"id": sent}, repeatable=True)
        return str((await self._do(call, self._patience(brief))).get("id") or "")

    async def delete(self, service: str, conversation: str, sent: str) -> None:
        """Delete an activity of ours; raises as `post` does."""
        url = _activities(service, conversation, sent)
        call = _Call("DELETE", service, url, conversation, None, repeatable=True)
        await self._do(call, self._limits.patience)

    def _patience(self, brief: bool) -> RetryPolicy:
        return self._limits.brief if brief else self._limits.patience

    async def _do(self, call: _Call, patience: RetryPolicy) -> dict[str, Any]:
        if not self._hosts.is_connector(call.service):
            raise ConversationGone("the service URL is not one that Loupe answers to")

        async def attempt() -> dict[str, Any]:
            await self._pacer.turn(call.conversation, RATES)
            return await self._with_fresh_token(call)

        retries = Retries(patience, self._clock)
        return await insist(attempt, retries, "connector_failed", method=call.method)

    async def _with_fresh_token(self, call: _Call) -> dict[str, Any]:
        """Try once; a token that is refused is replaced and the call made once more."""
        token = await self._token.value()
        try:
            return await self._try(call, token)
        except Failed as failed:
            refused = isinstance(failed.problem, ConnectorError) and failed.problem.status == 401
            if not (refused and token):
                raise
        self._token.drop(token)
        return await self._try(call, await self._token.value())

    async def _try(self, call: _Call, token: str) -> dict[str, Any]:
        try:
            async with self._session.request(
                call.method,
                call.url,
                data=call.payload(),
                headers={AUTHORIZATION: f"Bearer {token}"} if token else {},
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                return _taken(call, response, await response.read())
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            raise Failed(
                ConnectorError(0, "Unreachable", type(error).__name__), again=True
            ) from None
        except (ClientError, TimeoutError) as error:
            problem = DeliveryUnknown(type(error).__name__)
            raise Failed(problem, again=call.repeatable) from None


def _taken(call: _Call, response: ClientResponse, body: bytes) -> dict[str, Any]:
    """Give the answer's content; raises `Failed` unless the activity was taken."""
    status = response.status
    if 200 <= status < 300:
        return _content(status, body)
    problem = refusal(call.method, status, body)
    asked = retry_after(response.headers)
    if status in NOT_NOW:
        raise Failed(problem, again=True, asked=asked)
    if status in PASSING:
        raise Failed(DeliveryUnknown(str(status)), again=call.repeatable, asked=asked)
    raise Failed(problem, again=False)


def _content(status: int, body: bytes) -> dict[str, Any]:
    """Read an accepted answer; out of order, a stream's chunk is "accepted" with an error."""
    code, message = told(body)
    if code == SEQUENCE_CODE:
        raise Failed(StreamRefused(status, code, message), again=False)
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _activities(service: str, conversation: str, activity: str = "") -> URL:
    names = ["v3", "conversations", conversation, "activities", activity]
    path = "/".join(quote(name, safe="") for name in names if name)
    return URL(f"{service.rstrip('/')}/{path}", encoded=True)
