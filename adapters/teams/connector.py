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
from adapters.teams.errors import (
    SEQUENCE_CODE,
    ConnectorError,
    StreamRefused,
    code_and_message,
    refusal,
)
from bot.clock import Clock
from bot.ports.channel import ConversationGone, DeliveryUnknown
from bot.retry import THROTTLED, AttemptFailed, RetryBudget, is_temporary, retry_after, retrying

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from aiohttp.payload import Payload

    from adapters.http.rate_limit import Rate
    from adapters.teams.access_token import BotToken
    from adapters.teams.hosts import ConnectorHosts
    from adapters.teams.settings import TeamsLimits
    from bot.retry import RetryPolicy

JSON = "application/json"
NOT_ACCEPTED = {412, THROTTLED}
"""Statuses of an activity that was certainly not accepted, so that even a post may be repeated."""
RATES: tuple[Rate, ...] = ((7, 1.0), (8, 2.0), (60, 30.0), (1800, 3600.0))
"""Pairs of most sends and seconds, for one bot in one conversation:
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
"""


@dataclass(frozen=True, slots=True)
class _Call:
    """A request, which is `repeatable` if sending it twice does no harm.

    The body is the activity, which may be encoded as JSON already.
    """

    method: str
    service: str
    url: URL
    conversation: str
    activity: dict[str, Any] | bytes | None
    repeatable: bool

    def payload(self) -> Payload | None:
        """Return the body for one attempt; a large one is sent in pieces."""
        if self.activity is None:
            return None
        if isinstance(self.activity, bytes):
            return BytesIOPayload(io.BytesIO(self.activity), content_type=JSON)
        return JsonPayload(self.activity)


class Connector:
    """Sends requests to the connectors that activities came from, in one pooled session.

    A post is repeated only if it was certainly not accepted (429, 412, no connection); an edit or
    a deletion after any temporary error. The token is sent to known connectors only.
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
        self._rate_limiter = RateLimiter(self._clock, longest=limits.send_seconds)
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
        """Post an activity, or its JSON, and return its id, empty if the channel gives none.

        Raises `DeliveryUnknown`, `ConversationGone` and `DeliveryRefused` (`ActivityTooLarge`,
        `StreamRefused`, other `ConnectorError`). With `repeatable`, the service recognizes a
        repetition; `brief` retries for a few seconds only.
        """
        url = _activities(service, conversation)
        call = _Call("POST", service, url, conversation, activity, repeatable)
        return str((await self._send(call, self._policy(brief))).get("id") or "")

    async def put(
        self,
        service: str,
        conversation: str,
        message_id: str,
        activity: dict[str, Any],
        *,
        brief: bool = False,
    ) -> str:
        """Replace an activity of ours and return its id; `brief` and errors are as for `post`."""
        url = _activities(service, conversation, message_id)
        call = _Call(
            "PUT", service, url, conversation, activity | {"id": message_id}, repeatable=True
        )
        return str((await self._send(call, self._policy(brief))).get("id") or "")

    async def delete(self, service: str, conversation: str, message_id: str) -> None:
        """Delete an activity of ours; raises as `post` does."""
        url = _activities(service, conversation, message_id)
        call = _Call("DELETE", service, url, conversation, None, repeatable=True)
        await self._send(call, self._limits.retry_policy)

    def _policy(self, brief: bool) -> RetryPolicy:
        return self._limits.brief_policy if brief else self._limits.retry_policy

    async def _send(self, call: _Call, policy: RetryPolicy) -> dict[str, Any]:
        if not self._hosts.is_connector(call.service):
            raise ConversationGone("the service URL is not one that Loupe may answer")

        async def attempt() -> dict[str, Any]:
            await self._rate_limiter.turn(call.conversation, RATES)
            return await self._attempt(call)

        budget = RetryBudget(policy, self._clock)
        return await retrying(attempt, budget, "connector_failed", method=call.method)

    async def _attempt(self, call: _Call) -> dict[str, Any]:
        """Send a request once, and once more with a new token if the token is refused."""
        token = await self._token.value()
        try:
            return await self._request(call, token)
        except AttemptFailed as failure:
            problem = failure.problem
            unauthorized = isinstance(problem, ConnectorError) and problem.status == 401
            if not (unauthorized and token):
                raise
        self._token.drop(token)
        return await self._request(call, await self._token.value())

    async def _request(self, call: _Call, token: str) -> dict[str, Any]:
        try:
            async with self._session.request(
                call.method,
                call.url,
                data=call.payload(),
                headers={AUTHORIZATION: f"Bearer {token}"} if token else {},
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                return _accepted_content(call, response, await response.read())
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            unreachable = ConnectorError(0, "Unreachable", type(error).__name__)
            raise AttemptFailed(unreachable, retry=True) from None
        except (ClientError, TimeoutError) as error:
            problem = DeliveryUnknown(type(error).__name__)
            raise AttemptFailed(problem, retry=call.repeatable) from None


def _accepted_content(call: _Call, response: ClientResponse, body: bytes) -> dict[str, Any]:
    """Return the content of a response; raises `AttemptFailed` unless the call was accepted."""
    status = response.status
    if 200 <= status < 300:
        return _content(status, body)
    problem = refusal(call.method, status, body)
    wait = retry_after(response.headers)
    if status in NOT_ACCEPTED:
        raise AttemptFailed(problem, retry=True, requested_wait=wait)
    if is_temporary(status):
        unclear = DeliveryUnknown(str(status))
        raise AttemptFailed(unclear, retry=call.repeatable, requested_wait=wait)
    raise AttemptFailed(problem, retry=False)


def _content(status: int, body: bytes) -> dict[str, Any]:
    """Return the content of a success; a chunk that is out of order gets 202 with an error."""
    code, message = code_and_message(body)
    if code == SEQUENCE_CODE:
        raise AttemptFailed(StreamRefused(status, code, message), retry=False)
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _activities(service: str, conversation: str, activity: str = "") -> URL:
    names = ["v3", "conversations", conversation, "activities", activity]
    path = "/".join(quote(name, safe="") for name in names if name)
    return URL(f"{service.rstrip('/')}/{path}", encoded=True)
