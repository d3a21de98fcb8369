"""The bot as botbuilder knows it: what was written is accepted as a message, the rest is left."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from botbuilder.core import InvokeResponse
from botbuilder.core.teams import TeamsActivityHandler

from adapters.http.json_fields import name
from adapters.teams.activities import CARD_ACTION, read
from bot import strings as texts

if TYPE_CHECKING:
    from botbuilder.core import TurnContext

    from adapters.chat.declaration import Accept

log = structlog.get_logger()

FEEDBACK = "message/submitAction"


class ActivityHandler(TeamsActivityHandler):  # type: ignore[misc]
    """Hands what was written to `accept`; replies are sent later, from the store."""

    def __init__(self, accept: Accept) -> None:
        self._accept = accept

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """Accept what somebody wrote."""
        await self._pass_on(turn_context)

    async def on_installation_update(self, turn_context: TurnContext) -> None:
        """Accept that Loupe was added to a chat or team."""
        await self._pass_on(turn_context)

    async def on_conversation_update_activity(self, turn_context: TurnContext) -> None:
        """Accept that Loupe joined; botbuilder would ask the connector for every member."""
        await self._pass_on(turn_context)

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        """Accept a pressed button or a consent, and say so at once."""
        if turn_context.activity.name == FEEDBACK:
            await self._leave(turn_context)
            return _answer({})
        if not await self._pass_on(turn_context):
            return InvokeResponse(status=int(HTTPStatus.NOT_IMPLEMENTED))
        return _answer(_CARD_ANSWER if turn_context.activity.name == CARD_ACTION else {})

    async def _pass_on(self, turn_context: TurnContext) -> bool:
        message = read(turn_context.activity)
        if message is None:
            await self._leave(turn_context)
            return False
        await self._accept(message)
        return True

    async def _leave(self, turn_context: TurnContext) -> None:
        log.info("activity_ignored", kind=name(turn_context.activity.type))

    # What was said stays part of the conversation until `/forget`, whatever becomes of it in Teams.
    on_message_update_activity = on_message_delete_activity = _leave
    on_message_reaction_activity = on_event_activity = on_typing_activity = _leave
    on_end_of_conversation_activity = on_unrecognized_activity_type = _leave


_CARD_ANSWER = {
    "statusCode": 200,
    "type": "application/vnd.microsoft.activity.message",
    "value": texts.BUTTON_PRESSED,
}
"""https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model#response-format"""


def _answer(body: dict[str, object]) -> InvokeResponse:
    return InvokeResponse(status=int(HTTPStatus.OK), body=body)
