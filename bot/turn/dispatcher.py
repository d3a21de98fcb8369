"""Handles a lease by the kind of its message: a command, a question, or upkeep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot import strings as texts
from bot.clock import Clock
from bot.domain.history import Turn, TurnPosts
from bot.errors import FileProblem, Reason, StoreDown
from bot.ports.channel import ConversationGone
from bot.ports.mailbox import AnsweredTurn, LeaseLost
from bot.turn.answering import QuestionAnswerer
from bot.turn.command_delivery import CommandDelivery
from bot.turn.deliveries import Deliveries
from bot.turn.hints import Hints
from bot.turn.question_builder import QuestionBuilder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.commands.preferences import Preferences
    from bot.domain.messages import Message
    from bot.limits import FileLimits, MessageLimits
    from bot.ports.channel import Channel
    from bot.ports.history import History
    from bot.ports.mailbox import Lease, Mailbox
    from bot.queue.holding import Holding
    from bot.replies.pictures import ReplyPictures
    from bot.turn.answering import Turns
    from bot.turn.command_delivery import Commands

log = structlog.get_logger()

EXPECTS_REPLY = frozenset({"full", "installed", "message"})
"""Kinds of messages whose author waits for a reply; the others are work that nobody sees."""


class Dispatcher:
    """Works on one lease at a time, to its DONE."""

    def __init__(
        self,
        mailbox: Mailbox,
        history: History,
        preferences: Preferences,
        commands: Commands,
        turns: Turns,
        pictures: ReplyPictures,
        channels: Mapping[str, Channel],
        files: FileLimits,
        messages: MessageLimits,
        clock: Clock | None = None,
    ) -> None:
        self._mailbox = mailbox
        self._history = history
        self._commands = commands
        self._channels = channels
        self._files = files
        self._hints = Hints(history)
        self._questions = QuestionBuilder(channels, self._hints)
        self._deliveries = Deliveries(mailbox, channels, commands, clock or Clock())
        self._command_delivery = CommandDelivery(commands, self._deliveries, messages)
        self._answerer = QuestionAnswerer(
            mailbox,
            history,
            preferences,
            turns,
            pictures,
            self._hints,
            self._questions,
            self._deliveries,
        )
        self._upkeep = {
            "full": self._refuse,
            "channel": self._carry_on,
            "uninstalled": self._erase,
            "deleted": self._retract,
            "installed": self._greet,
        }

    async def handle(self, holding: Holding) -> None:
        """See a lease through; raises `LeaseLost`, `StoreDown` and what nobody foresaw."""
        message = holding.lease.run[0].message
        handler = self._upkeep.get(message.kind, self._handle_message)
        try:
            await handler(holding, message)
        except ConversationGone:
            log.info("conversation_gone", channel=message.thread.channel)
            await self._deliveries.complete(holding.lease, holding.lease.result)

    async def give_up(self, lease: Lease, why: str) -> None:
        """Show the user that a message cannot be answered, and move it to the dead letters.

        An answer that exists but could not be shown stays in the history.
        """
        message = lease.run[0].message
        log.error("message_given_up", why=why, attempts=lease.attempt)
        try:
            if message.kind in EXPECTS_REPLY:
                given_up = texts.GIVEN_UP
                await self._deliveries.end_reply(lease, message, given_up, given_up)
        except (LeaseLost, StoreDown):
            raise
        except Exception as error:  # One message that fails must not block the next.
            log.warning("giving_up_not_told", error=type(error).__name__)
        if lease.result is None:
            await self._mailbox.move_to_dead_letters(lease, why)
        else:
            await self._mailbox.complete(lease, lease.result)

    async def _refuse(self, holding: Holding, message: Message) -> None:
        """Reply that too many messages wait in the thread."""
        await self._deliveries.post(holding.lease, message, texts.FULL)

    async def _carry_on(self, holding: Holding, message: Message) -> None:
        """Let the channel do work of its own that it has put into the mailbox."""
        await self._channels[message.thread.channel].run_task(message)
        await self._deliveries.complete(holding.lease)

    async def _erase(self, holding: Holding, message: Message) -> None:
        """Erase everything of a thread that Loupe was removed from."""
        await self._commands.erase_place(message.thread)
        await self._deliveries.complete(holding.lease, erase="everything")

    async def _retract(self, holding: Holding, message: Message) -> None:
        """Forget a post that was deleted."""
        await self._deliveries.retract(holding.lease, message.quoted)
        await self._deliveries.complete(holding.lease)

    async def _greet(self, holding: Holding, message: Message) -> None:
        """Greet whoever added Loupe."""
        await self._deliveries.post(
            holding.lease, message, texts.greeting(is_shared=message.shared)
        )

    async def _handle_message(self, holding: Holding, message: Message) -> None:
        """Carry out a command, or answer a question, unless it was withdrawn or stopped."""
        if await self._is_void(holding, message):
            await self._deliveries.complete(holding.lease)
        elif (command := self._commands.grammar.parse(message.text)) is not None:
            await self._command_delivery.execute(holding, message, command)
        elif holding.stop.is_set() and holding.lease.result is None:
            await self._close_stopped(holding.lease, message)
        elif not message.text and not message.attachments:
            await self._handle_mention(holding, message)
        elif message.unreadable and not await self._hints.reads_words(message):
            problem = texts.file_problem("", 1, FileProblem(Reason.HTML_ONLY), self._files)
            await self._deliveries.post(holding.lease, message, problem)
        else:
            await self._answerer.answer(holding, message)

    async def _is_void(self, holding: Holding, message: Message) -> bool:
        """Return whether nothing is asked any more, and nothing was shown that has to be ended."""
        if holding.remaining or holding.lease.result is not None:
            return False
        return not await self._deliveries.outbox(holding.lease, message).begun()

    async def _handle_mention(self, holding: Holding, message: Message) -> None:
        """Answer from what stood in the thread before the mention, else say how to ask."""
        past = await self._history.past(message.thread)
        forgot = holding.lease.generation > 0
        earlier = await self._questions.before(message, past, forgot=forgot)
        if earlier or holding.lease.result is not None:
            await self._answerer.answer(holding, message)
            return
        hints = await self._hints.of(message, past, earlier=earlier is not None)
        text = " ".join((texts.NOTHING_ASKED, *hints))
        await self._deliveries.post(holding.lease, message, text)

    async def _close_stopped(self, lease: Lease, message: Message) -> None:
        """End the reply to a message that was stopped while it waited, or after a crash."""
        reply = await self._deliveries.end_reply(
            lease, message, texts.STOPPED_EARLY, texts.STOPPED_HERE, is_stopped=True
        )
        question = self._questions.known(lease.run)
        turn = Turn(
            id=question.id,
            at=question.at,
            author=question.author,
            question=question.words or texts.default_question(*question.counts),
            answer=reply.earlier_text,
            status="stopped",
            posts=TurnPosts(question.messages, reply.message_ids),
        )
        await self._deliveries.complete(
            lease, AnsweredTurn(turn, ()) if reply.earlier_text else None
        )
