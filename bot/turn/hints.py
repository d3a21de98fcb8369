"""What people of a place cannot know by themselves, said once below an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import strings as texts

if TYPE_CHECKING:
    from bot.domain.history import ThreadHistory
    from bot.domain.messages import Message
    from bot.ports.history import History


def is_new(message: Message, past: ThreadHistory) -> bool:
    """Return whether Loupe is asked for the first time in a thread that others began."""
    answered_before = any(turn.has_answer for turn in past.turns)
    return bool(message.thread.root) and not message.opening and not answered_before


class Hints:
    """Finds the hints that a place has not had yet."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def reads_words(self, message: Message) -> bool:
        """Return whether words are for Loupe without a photo beside them."""
        if message.addressed:
            return True
        settings = await self._history.settings(message.thread.place)
        return settings.watch == "all"

    async def of(
        self, message: Message, past: ThreadHistory, *, earlier: bool = False
    ) -> tuple[str, ...]:
        """Return what people cannot know: how to ask on, or that earlier posts are out of reach.

        With `earlier` the channel can read those posts.
        """
        if not message.addressed:
            return await self._teach(message)
        return (texts.EARLIER_POSTS,) if is_new(message, past) and not earlier else ()

    async def _teach(self, message: Message) -> tuple[str, ...]:
        """Return once how to ask on in a place whose photos are watched; again after a crash."""
        settings = await self._history.settings(message.thread.place)
        if settings.watch != "photos" or settings.hint_message not in {None, message.id}:
            return ()
        await self._history.change(message.thread.place, hint_message=message.id)
        return (texts.ASK_ON,)

    async def unteach(self, message: Message) -> None:
        """Leave the hint to the next answer, since this one ended without it."""
        place = message.thread.place
        if (await self._history.settings(place)).hint_message == message.id:
            await self._history.change(place, hint_message=None)
