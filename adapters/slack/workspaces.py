"""The workspaces in which Loupe is installed, with its ids and its token."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.http.json_fields import dig, identifier, name, string
from bot.aio import end
from bot.clock import Clock
from bot.retry import Backoff, RetryBudget, RetryPolicy

if TYPE_CHECKING:
    from aiohttp import ClientSession

log = structlog.get_logger()

CALL_SECONDS = 15.0
RETRY_POLICY = RetryPolicy(backoff=Backoff(first=1.0, jitter=(1.0, 1.0)))
"""Repeats `auth.test` until it succeeds, since nothing works without it."""
FIRST_WAIT_SECONDS = 2.0
"""How long a delivery waits for the first `auth.test`; Slack itself waits three seconds."""


class UnknownTeam(LookupError):
    """Loupe is not installed in that workspace."""


class WorkspaceUnknown(Exception):
    """The workspace is not known yet, so Slack has to deliver again."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace ("team"): its URL, and Loupe's user id, bot id and token in it."""

    team: str
    url: str
    bot_user: str
    bot_id: str
    token: str = field(repr=False)


class Workspaces(Protocol):
    """Finds the workspace of a delivery or an answer."""

    async def of(self, team: str) -> Workspace:
        """Return the workspace of a team; raises `UnknownTeam`, `WorkspaceUnknown`."""
        ...

    async def start(self) -> None:
        """Begin the background work without waiting for it."""
        ...

    async def stop(self) -> None:
        """End the background work."""
        ...


class OneWorkspace:
    """The workspace of one token, which `auth.test` identifies."""

    def __init__(
        self, api_url: str, token: str, session: ClientSession, clock: Clock | None = None
    ) -> None:
        self._client = AsyncWebClient(token, base_url=api_url, session=session, retry_handlers=[])
        self._token = token
        self._clock = clock or Clock()
        self._workspace_known = asyncio.Event()
        self._workspace: Workspace | None = None
        self._identify_task: asyncio.Task[None] | None = None

    async def of(self, team: str) -> Workspace:
        """Return the workspace if it is that team's; raises `UnknownTeam`, `WorkspaceUnknown`.

        Before the workspace is identified, it waits for a moment.
        """
        if self._workspace is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST_WAIT_SECONDS):
                    await self._workspace_known.wait()
        if self._workspace is None:
            raise WorkspaceUnknown("auth.test has not succeeded yet")
        if self._workspace.team != team:
            raise UnknownTeam("the token is another workspace's")
        return self._workspace

    async def start(self) -> None:
        """Begin to identify the workspace, without waiting for it."""
        self._identify_task = asyncio.create_task(self._identify())

    async def stop(self) -> None:
        """Stop identifying the workspace."""
        if self._identify_task:
            await end(self._identify_task)

    async def _identify(self) -> None:
        budget = RetryBudget(RETRY_POLICY, self._clock)
        while (workspace := await self._try_auth_test()) is None:
            await budget.pause()
        self._workspace = workspace
        self._workspace_known.set()
        log.info("slack_workspace_found", team=workspace.team)

    async def _try_auth_test(self) -> Workspace | None:
        """Return the workspace; None after any failure, since a later attempt may succeed."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                response = (await self._client.api_call("auth.test")).data
        except SlackApiError as error:
            data = getattr(error.response, "data", None)  # None if the body is not JSON.
            log.warning("slack_token_refused", error=name(dig(data, "error")))
        # AttributeError: the body is not a JSON object.
        except (SlackClientError, ClientError, OSError, ValueError, AttributeError) as error:
            log.warning("slack_unreachable", error=type(error).__name__)
        else:
            if identifier(dig(response, "team_id")):
                return self._read(response)
            log.warning("slack_workspace_unnamed")
        return None

    def _read(self, response: Any) -> Workspace:
        return Workspace(
            team=identifier(dig(response, "team_id")),
            url=string(dig(response, "url")),
            bot_user=identifier(dig(response, "user_id")),
            bot_id=identifier(dig(response, "bot_id")),
            token=self._token,
        )
