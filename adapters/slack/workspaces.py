"""The workspaces that installed Loupe: who it is there, and its token."""

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
"""Slack is asked until it answers; there is nothing that Loupe could do without."""
HELD_SECONDS = 2.0
"""Longest time that a delivery waits for the first `auth.test`: Slack waits three seconds."""


class UnknownTeam(LookupError):
    """Loupe is not installed in that workspace, as far as it knows."""


class WorkspaceUnknown(Exception):
    """Slack has not told yet who Loupe is; it has to deliver again."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace ("team"): its address, and Loupe's user id, bot id and token in it."""

    team: str
    url: str
    bot_user: str
    bot_id: str
    token: str = field(repr=False)


class Workspaces(Protocol):
    """Finds the workspace that a delivery is from, or an answer goes to."""

    async def of(self, team: str) -> Workspace:
        """Give a team's workspace; raises `UnknownTeam`, `WorkspaceUnknown`."""
        ...

    async def start(self) -> None:
        """Begin the background work; waits for nothing."""
        ...

    async def stop(self) -> None:
        """End the background work."""
        ...


class OneWorkspace:
    """The workspace of one token: `auth.test` tells which, asked until Slack has answered."""

    def __init__(
        self, api_url: str, token: str, session: ClientSession, clock: Clock | None = None
    ) -> None:
        self._client = AsyncWebClient(token, base_url=api_url, session=session, retry_handlers=[])
        self._token = token
        self._clock = clock or Clock()
        self._known = asyncio.Event()
        self._workspace: Workspace | None = None
        self._asking: asyncio.Task[None] | None = None

    async def of(self, team: str) -> Workspace:
        """Give the workspace if it is that team's; raises `UnknownTeam`, `WorkspaceUnknown`.

        In the first moments it waits a little for Slack's answer.
        """
        if self._workspace is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(HELD_SECONDS):
                    await self._known.wait()
        if self._workspace is None:
            raise WorkspaceUnknown("Slack has not answered auth.test yet")
        if self._workspace.team != team:
            raise UnknownTeam("the token is another workspace's")
        return self._workspace

    async def start(self) -> None:
        """Begin to ask Slack; waits for nothing."""
        self._asking = asyncio.create_task(self._ask())

    async def stop(self) -> None:
        """End the asking."""
        if self._asking:
            await end(self._asking)

    async def _ask(self) -> None:
        budget = RetryBudget(RETRY_POLICY, self._clock)
        while (workspace := await self._ask_once()) is None:
            await budget.pause()
        self._workspace = workspace
        self._known.set()
        log.info("slack_workspace_found", team=workspace.team)

    async def _ask_once(self) -> Workspace | None:
        """Ask once; whatever goes wrong, it may work later."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                answer = (await self._client.api_call("auth.test")).data
        except SlackApiError as error:
            data = getattr(error.response, "data", None)  # none where the body was no JSON
            log.warning("slack_token_refused", error=name(dig(data, "error")))
        # The client stumbles over a body that is no JSON object with an AttributeError.
        except (SlackClientError, ClientError, OSError, ValueError, AttributeError) as error:
            log.warning("slack_unreachable", error=type(error).__name__)
        else:
            if identifier(dig(answer, "team_id")):
                return self._read(answer)
            log.warning("slack_workspace_unnamed")
        return None

    def _read(self, answer: Any) -> Workspace:
        return Workspace(
            team=identifier(dig(answer, "team_id")),
            url=string(dig(answer, "url")),
            bot_user=identifier(dig(answer, "user_id")),
            bot_id=identifier(dig(answer, "bot_id")),
            token=self._token,
        )
