"""The bot as botbuilder calls it: activities that are messages are accepted, others ignored."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from botbuilder.core import InvokeResponse
from botbuilder.core.teams import TeamsActivityHandler

from adapters.http.json_fields import name
from adapters.teams.activities import CARD_ACTION, message_from
from bot import strings as texts

if TYPE_CHECKING:
    from botbuilder.core import TurnContext

    from adapters.chat.declaration import Accept

log = structlog.get_logger()

FEEDBACK = "message/submitAction"


class ActivityHandler(TeamsActivityHandler):  # type: ignore[misc]
    """Gives messages to `accept`; they are answered later, from the store."""

    def __init__(self, accept: Accept) -> None:
        self._accept = accept

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Accept a message that somebody wrote."""
        await self._accept_message(turn_context)

    async def on_installation_update(self, turn_context: TurnContext) -> None:
        """Accept that Loupe was installed in a chat or team."""
        await self._accept_message(turn_context)

    async def on_conversation_update_activity(self, turn_context: TurnContext) -> None:
        """Accept that Loupe was added; botbuilder would request every member from the connector."""
        await self._accept_message(turn_context)

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        """Accept a pressed button or a choice about a file, and acknowledge it at once."""
        if turn_context.activity.name == FEEDBACK:
            await self._ignore(turn_context)
            return _response({})
        if not await self._accept_message(turn_context):
            return InvokeResponse(status=int(HTTPStatus.NOT_IMPLEMENTED))
        return _response(_CARD_RESPONSE if turn_context.activity.name == CARD_ACTION else {})

    async def _accept_message(self, turn_context: TurnContext) -> bool:
        message = message_from(turn_context.activity)
        if message is None:
            await self._ignore(turn_context)
            return False
        await self._accept(message)
        return True

    async def _ignore(self, turn_context: TurnContext) -> None:
        log.info("activity_ignored", kind=name(turn_context.activity.type))

    # Messages that are edited or deleted in Teams stay in the history until `/forget`.
    on_message_update_activity = on_message_delete_activity = _ignore
    on_message_reaction_activity = on_event_activity = on_typing_activity = _ignore
    on_end_of_conversation_activity = on_unrecognized_activity_type = _ignore


_CARD_RESPONSE = {
    "statusCode": 200,
    "type": "application/vnd.microsoft.activity.message",
    "value": texts.BUTTON_PRESSED,
}
"""https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model#response-format"""


def _response(body: dict[str, object]) -> InvokeResponse:
    return InvokeResponse(status=int(HTTPStatus.OK), body=body)
