"""The Bolt app: it accepts messages before it acknowledges Slack's requests."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from adapters.http.json_fields import ID_LENGTH, dig, identifier, name, string
from adapters.http.request_body import MalformedBody
from adapters.slack.addresses import TOP, thread_of
from adapters.slack.events import read_event
from adapters.slack.interactions import SlashCommand, read_button, read_shortcut
from adapters.slack.workspaces import UnknownTeam, WorkspaceUnknown
from bot.domain.messages import Message
from bot.errors import StoreDown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.context.ack.async_ack import AsyncAck
    from slack_bolt.context.async_context import AsyncBoltContext

    from adapters.slack.thread_index import ThreadIndex
    from adapters.slack.workspaces import Workspace, Workspaces
    from bot.domain.command_grammar import CommandGrammar
    from bot.domain.threads import Place

log = structlog.get_logger()

Accept = Callable[[Message], Awaitable[bool]]
"""Stores a message durably before it returns; returns false if it is not for Loupe.

Raises `bot.errors.StoreDown`.
"""

INDEX_TIMEOUT = 0.5
"""Longest time for the index, seconds: Slack waits three in all, mostly for `accept`."""

FEEDBACK = "feedback_buttons"
"""The type of the buttons that rate an answer.

https://docs.slack.dev/reference/block-kit/block-elements/feedback-buttons-element/
"""

Kind = Literal["event", "slash", "button", "shortcut", "challenge", "other"]
"""`challenge`: Slack verifies the URL of the webhook; `other`: nothing that Loupe acts on."""

REQUIRED_FIELDS: dict[Kind, tuple[tuple[str, ...], ...]] = {
    "event": (("event_id",), ("event", "type")),
    "slash": (("command",), ("channel_id",), ("user_id",), ("team_id",), ("trigger_id",)),
    "button": (("trigger_id",), ("user", "id")),
    "shortcut": (("trigger_id",), ("user", "id"), ("channel", "id"), ("callback_id",)),
    "challenge": (("challenge",),),
    "other": (),
}
"""The ids and names that a delivery of each kind must have, as paths of keys.

Bolt reads them before any listener runs, and trusts their types.
"""

_KINDS: dict[str, Kind] = {
    "event_callback": "event",
    "block_actions": "button",
    "message_action": "shortcut",
    "url_verification": "challenge",
}

_ANY = re.compile("")


class SlackBot:
    """Passes messages, commands and pressed buttons to `accept`; replies follow later.

    `reaction` is the name of the emoji that asks Loupe to look at a post; empty: none does.
    """

    def __init__(
        self,
        workspaces: Workspaces,
        accept: Accept,
        index: ThreadIndex,
        grammar: CommandGrammar,
        reaction: str = "",
    ) -> None:
        self._workspaces = workspaces
        self._accept = accept
        self._index = index
        self._grammar = grammar
        self._reaction = reaction
        self.app = _app(_Authorization(workspaces))
        self.app.event(_ANY)(self._event)
        self.app.command(_ANY)(self._slash)
        self.app.shortcut(_ANY)(self._shortcut)
        self.app.action(_ANY)(self._button)

    async def dispatch(self, payload: dict[str, Any]) -> BoltResponse:
        """Handle a delivery that is verified to be Slack's, and return the response.

        200: stored, or nothing for Loupe; 503: Slack has to deliver again. Raises `MalformedBody`.
        """
        if kind_of(payload) == "other":
            log.info("slack_delivery_ignored", kind=name(payload.get("type")))
            return BoltResponse(status=200)
        return await self.app.async_dispatch(_request(payload))

    async def _event(self, body: dict[str, Any], context: AsyncBoltContext) -> None:
        workspace = await self._workspace(context)
        message = read_event(body, workspace, self._reaction)
        if message is None:
            log.info("slack_event_ignored", kind=name(dig(body, "event", "type")))
            return
        await self._receive(message)

    async def _slash(self, body: dict[str, Any], context: AsyncBoltContext, ack: AsyncAck) -> None:
        workspace = await self._workspace(context)
        slash, latest = SlashCommand(body, workspace, self._grammar), ""
        if slash.needs_latest_thread:
            place = thread_of(workspace.team, slash.channel, TOP).place
            latest = await self._latest(place, slash.user)
        answer = slash.read(latest)
        if isinstance(answer, str):
            await ack(text=answer)
            return
        await self._receive(answer)
        await ack()

    async def _shortcut(
        self, body: dict[str, Any], context: AsyncBoltContext, ack: AsyncAck
    ) -> None:
        message = read_shortcut(body, await self._workspace(context), self._grammar)
        if message:
            await self._receive(message)
        await ack()

    async def _button(self, body: dict[str, Any], context: AsyncBoltContext, ack: AsyncAck) -> None:
        workspace = await self._workspace(context)
        message = read_button(body, workspace)
        if body["actions"][0].get("type") == FEEDBACK:
            _log_feedback(body, workspace)
        elif message:
            await self._receive(message)
        await ack()

    async def _workspace(self, context: AsyncBoltContext) -> Workspace:
        return await self._workspaces.of(identifier(context.team_id))

    async def _latest(self, place: Place, user: str) -> str:
        try:
            async with asyncio.timeout(INDEX_TIMEOUT):
                return await self._index.latest(place, user)
        except TimeoutError:
            raise StoreDown("the store is slow") from None

    async def _receive(self, message: Message) -> None:
        """Accept a message; a later failure of the index needs no second delivery."""
        if not await self._accept(message):
            return
        try:
            async with asyncio.timeout(INDEX_TIMEOUT):
                await self._index.note(message)
        except (StoreDown, TimeoutError) as problem:
            log.warning("slack_note_lost", reason=str(problem) or "the store is slow")


class _Authorization(AsyncAuthorize):
    """Gives Bolt the ids of Loupe in a workspace, so that it ignores Loupe's own posts.

    Bolt gets no token, since nothing is sent through it.
    """

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        **_: Any,
    ) -> AuthorizeResult:
        workspace = await self._workspaces.of(identifier(team_id))
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=workspace.team,
            bot_user_id=workspace.bot_user,
            bot_id=workspace.bot_id,
        )


def _app(authorization: _Authorization) -> AsyncApp:
    """Build Bolt's app; it responds after its listener, and the webhook verifies signatures.

    It logs errors only, since its warnings quote whole requests. With a client of Loupe's, Bolt
    neither takes the token from the environment nor calls Slack before each response.
    """
    logger = logging.getLogger("slack_bolt")
    logger.setLevel(logging.ERROR)
    logging.getLogger("slack_sdk").setLevel(logging.WARNING)
    app = AsyncApp(
        name="loupe",
        logger=logger,
        client=AsyncWebClient(),
        authorize=authorization,
        signing_secret="unused",  # noqa: S106
        process_before_response=True,
        request_verification_enabled=False,
        ssl_check_enabled=False,
    )
    app.error(_respond_to_error)
    return app


def _request(payload: dict[str, Any]) -> AsyncBoltRequest:
    """Wrap a payload as one from a socket, so that Bolt does not parse it a second time."""
    try:
        return AsyncBoltRequest(body=payload, mode="socket_mode")
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise MalformedBody("a field has the wrong type") from error


async def _respond_to_error(error: Exception) -> BoltResponse:
    """Return 200 if a listener raised for an unknown team, else a status to deliver again."""
    if isinstance(error, UnknownTeam):
        log.warning("slack_team_unknown", reason=str(error))
        return BoltResponse(status=200)
    if isinstance(error, WorkspaceUnknown | StoreDown):
        log.info("slack_delivery_refused", status=503, reason=str(error))
        return BoltResponse(status=503)
    log.error("slack_delivery_failed", exc_info=error)
    return BoltResponse(status=500)


def _log_feedback(body: dict[str, Any], workspace: Workspace) -> None:
    """Log how somebody rated an answer; ratings are not stored."""
    container = body.get("container")
    channel = identifier(dig(body, "channel", "id"))
    root = identifier(dig(container, "thread_ts")) or identifier(dig(body, "message", "thread_ts"))
    thread = thread_of(workspace.team, channel, root or TOP)
    log.info(
        "feedback",
        value=name(string(body["actions"][0].get("value"))),
        thread=thread.key[:8],
        post=name(dig(container, "message_ts")),
    )


def kind_of(payload: Mapping[str, Any]) -> Kind:
    """Return the kind of a delivery; raises `MalformedBody`, naming the wrong field."""
    kind = _kind(payload)
    for keys in REQUIRED_FIELDS[kind]:
        value = dig(payload, *keys)
        if not isinstance(value, str) or not 0 < len(value) <= ID_LENGTH:
            raise MalformedBody(f"{'.'.join(keys)} is missing or not a name")
    if not isinstance(payload.get("event", {}), dict):
        raise MalformedBody("event is not an object")
    if kind == "button":
        _check_actions(payload.get("actions"))
    return kind


def _kind(payload: Mapping[str, Any]) -> Kind:
    delivery_type = payload.get("type")
    if isinstance(delivery_type, str) and delivery_type:
        return _KINDS.get(delivery_type, "other")
    if "command" in payload and delivery_type is None:
        return "slash"
    if "ssl_check" in payload:
        return "other"
    raise MalformedBody("the delivery has no type")


def _check_actions(actions: Any) -> None:
    if not isinstance(actions, list) or not actions:
        raise MalformedBody("actions is not a list of actions")
    if not all(isinstance(dig(action, "action_id"), str) for action in actions):
        raise MalformedBody("an action has no id")
