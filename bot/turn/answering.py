"""Answers the question that a lease holds, and shows the answer."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bot import strings as texts
from bot.grounding.pointing import citations
from bot.ports.channel import Post
from bot.ports.mailbox import AnsweredTurn, LeaseLost
from bot.replies.pictures import frame_citations, outlined_photos

if TYPE_CHECKING:
    from bot.commands.preferences import Preferences
    from bot.domain.history import ThreadHistory
    from bot.domain.messages import Message
    from bot.domain.outcome import Outcome
    from bot.domain.preferences import EffectiveSettings
    from bot.domain.question import Question
    from bot.ports.history import History
    from bot.ports.mailbox import Lease, Mailbox
    from bot.queue.holding import Holding
    from bot.replies.pictures import ReplyPictures
    from bot.replies.streaming import Reply
    from bot.turn.deliveries import Deliveries
    from bot.turn.hints import Hints
    from bot.turn.question_builder import QuestionBuilder

NEWEST = 200
"""Turns that a question is answered from; the budget of tokens admits fewer."""


class Turns(Protocol):
    """What runs a turn, as `bot.turn.runner.TurnRunner` does."""

    async def run(
        self,
        question: Question,
        past: ThreadHistory,
        settings: EffectiveSettings,
        audience: Reply,
        stop: asyncio.Event,
    ) -> Outcome:
        """Answer a question; ends within a moment when `stop` is set."""
        ...


class QuestionAnswerer:
    """Answers questions: gathers the messages, runs the turn, and shows the answer once."""

    def __init__(
        self,
        mailbox: Mailbox,
        history: History,
        preferences: Preferences,
        turns: Turns,
        pictures: ReplyPictures,
        hints: Hints,
        questions: QuestionBuilder,
        deliveries: Deliveries,
    ) -> None:
        self._mailbox = mailbox
        self._history = history
        self._preferences = preferences
        self._turns = turns
        self._pictures = pictures
        self._hints = hints
        self._questions = questions
        self._deliveries = deliveries

    async def answer(self, holding: Holding, message: Message) -> None:
        """Answer a question, or show the answer that a crashed worker has left."""
        outbox = self._deliveries.outbox(holding.lease, message)
        reply = self._deliveries.reply(outbox, holding.stop)
        try:
            result = holding.lease.result or await self._result(holding, reply)
            await reply.finish(result.parts, _last_post(result))
            await self._pictures.show(outbox, message.thread, result)
            posts = replace(result.turn.posts, answers=reply.message_ids)
            turn = replace(result.turn, posts=posts)
            await self._deliveries.complete(holding.lease, replace(result, turn=turn))
        finally:
            await reply.close()

    async def _result(self, holding: Holding, reply: Reply) -> AnsweredTurn:
        """Run the turn, and store what came of it before its last edit."""
        await reply.open(texts.placeholder(*_files_of(holding.lease)))
        lease = await self._gathered(holding, reply)
        for entry in lease.run:
            if entry.message.version:
                await self._deliveries.retract(lease, entry.message.id)
        result = await self._run(holding, reply)
        if not await self._mailbox.store_result(lease, result):
            raise LeaseLost
        holding.lease = replace(lease, result=result)
        return result

    async def _run(self, holding: Holding, reply: Reply) -> AnsweredTurn:
        lease = holding.lease
        thread = lease.run[0].message.thread
        past = await self._history.past(thread, NEWEST)
        settings = await self._preferences.of(thread)
        entries = holding.remaining or lease.run
        question = await self._questions.of(entries, past, forgot=lease.generation > 0)
        outcome = await self._turns.run(question, past, settings, reply, holding.stop)
        if not outcome.has_hints:
            await self._hints.unteach(entries[0].message)
        return AnsweredTurn(
            turn=outcome.turn,
            parts=reply.whole(outcome.text),
            photos=outcome.photos,
            request=outcome.request,
            outlined_photos=outlined_photos(outcome, past),
            videos=outcome.videos,
            cited_frames=frame_citations(outcome, past),
        )

    async def _gathered(self, holding: Holding, reply: Reply) -> Lease:
        """Wait for the rest of a burst of photos; words, time or a stop end the wait."""
        while holding.lease.settle > 0 and not holding.stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(holding.lease.settle):
                    await _either(holding.mail, holding.stop)
            holding.mail.clear()
            lease = await self._mailbox.gather(holding.lease)
            if lease is None:
                raise LeaseLost
            holding.lease = lease
            holding.withdraw()
            reply.progress(texts.placeholder(*_files_of(lease)))
        return holding.lease


def _last_post(result: AnsweredTurn) -> Post:
    """Return the last message of an answer, with its citations and marks."""
    names = {photo.number: photo.label for photo in result.outlined_photos}
    return Post(
        result.parts[-1],
        live=True,
        is_generated=bool(result.turn.answer),
        is_stopped=result.turn.status == "stopped",
        citations=citations(result.turn.grounding.outlines, names),
    )


def _files_of(lease: Lease) -> tuple[int, int]:
    """Count the photos and the videos of a run, as declared, without those out of reach."""
    files = [
        attachment
        for entry in lease.run
        for attachment in entry.message.attachments
        if attachment.problem is None
    ]
    videos = sum(file.is_video for file in files)
    return len(files) - videos, videos


async def _either(*events: asyncio.Event) -> None:
    """Wait until one of the events is set."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
