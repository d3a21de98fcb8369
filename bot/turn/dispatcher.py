"""What is done with a lease: a command is obeyed, a question answered, and told once."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from bot import strings as texts
from bot.commands.declaration import CommandReply, CommandRequest
from bot.domain.history import Turn, TurnPosts
from bot.errors import FileProblem, Reason, StoreDown
from bot.grounding.pointing import citations
from bot.ports.channel import ConversationGone, DeliveryRefused, Post
from bot.ports.mailbox import AnsweredTurn, LeaseLost
from bot.replies.outbox import Outbox
from bot.replies.pictures import frames_cited, pointed
from bot.replies.streaming import Reply
from bot.turn.hints import Hints
from bot.turn.question_builder import QuestionBuilder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.commands.executor import CommandExecutor
    from bot.commands.preferences import Preferences
    from bot.domain.commands import Command
    from bot.domain.messages import Message
    from bot.limits import FileLimits, MessageLimits
    from bot.ports.channel import Channel
    from bot.ports.history import History
    from bot.ports.mailbox import Lease, Mailbox
    from bot.queue.holding import Holding
    from bot.replies.pictures import ReplyPictures
    from bot.turn.runner import TurnRunner

log = structlog.get_logger()

TOLD = frozenset({"full", "installed", "message"})
"""Kinds of messages that somebody waits for a word about; the others are work nobody sees."""
NEWEST = 200
"""Turns that a question is answered from; the budget of tokens admits fewer."""


class Dispatcher:
    """Works on one lease at a time, to its DONE."""

    def __init__(
        self,
        mailbox: Mailbox,
        history: History,
        preferences: Preferences,
        commands: CommandExecutor,
        turns: TurnRunner,
        illustrations: ReplyPictures,
        channels: Mapping[str, Channel],
        files: FileLimits,
        messages: MessageLimits,
    ) -> None:
        self._mailbox = mailbox
        self._history = history
        self._preferences = preferences
        self._commands = commands
        self._turns = turns
        self._illustrations = illustrations
        self._hints = Hints(history)
        self._asking = QuestionBuilder(channels, self._hints)
        self._channels = channels
        self._files = files
        self._messages = messages

    async def handle(self, holding: Holding) -> None:
        """See a lease through; raises `LeaseLost`, `StoreDown` and what nobody foresaw."""
        message = holding.lease.run[0].message
        try:
            await self._handle(holding, message)
        except ConversationGone:
            log.info("conversation_gone", channel=message.thread.channel)
            await self._done(holding.lease, holding.lease.answered)

    async def give_up(self, lease: Lease, why: str) -> None:
        """Tell the user that a message cannot be answered, and bury it.

        An answer that was found but could not be shown stays in the history.
        """
        message = lease.run[0].message
        log.error("message_given_up", why=why, attempts=lease.attempt)
        try:
            if message.kind in TOLD:
                await self._end(lease, message, texts.GIVEN_UP, texts.GIVEN_UP)
        except (LeaseLost, StoreDown):
            raise
        except Exception as error:  # whatever the channel fails with, the next message is due
            log.warning("giving_up_not_told", error=type(error).__name__)
        if lease.answered is None:
            await self._mailbox.bury(lease, why)
        else:
            await self._mailbox.done(lease, lease.answered)

    def _sends(self, lease: Lease, message: Message) -> Outbox:
        channel = self._channels[message.thread.channel]
        return Outbox(self._mailbox, channel, message.address, lease.box, lease.seq, lease.token)

    async def _done(self, lease: Lease, result: AnsweredTurn | None = None) -> None:
        if not await self._mailbox.done(lease, result):
            raise LeaseLost

    async def _handle(self, holding: Holding, message: Message) -> None:
        if message.kind == "full":
            await self._tell(holding, message, texts.FULL)
        elif message.kind == "channel":
            await self._channels[message.thread.channel].carry_on(message)
            await self._done(holding.lease)
        elif message.kind == "uninstalled":
            await self._commands.erase_place(message.thread)
            if not await self._mailbox.done(holding.lease, erase="everything"):
                raise LeaseLost
        elif message.kind == "deleted":
            await self._retract(holding.lease, message.quoted)
            await self._done(holding.lease)
        elif message.kind == "installed":
            await self._tell(holding, message, texts.greeting(shared=message.shared))
        elif await self._withdrawn(holding, message):
            await self._done(holding.lease)
        elif (command := self._commands.grammar.parse(message.text)) is not None:
            await self._execute(holding, message, command)
        elif holding.stop.is_set() and holding.lease.answered is None:
            await self._never_began(holding.lease, message)
        elif not message.text and not message.attachments:
            await self._called(holding, message)
        elif message.unreadable and not await self._hints.reads_words(message):
            problem = FileProblem(Reason.HTML_ONLY)
            await self._tell(holding, message, texts.file_problem("", 1, problem, self._files))
        else:
            await self._answer(holding, message)

    async def _called(self, holding: Holding, message: Message) -> None:
        """Look at what stood in a thread before Loupe was called there, else tell what to do."""
        past = await self._history.past(message.thread)
        before = await self._asking.before(message, past, forgot=holding.lease.generation > 0)
        if before or holding.lease.answered is not None:
            await self._answer(holding, message)
            return
        hints = await self._hints.of(message, past, earlier=before is not None)
        await self._tell(holding, message, " ".join((texts.NOTHING_ASKED, *hints)))

    async def _withdrawn(self, holding: Holding, message: Message) -> bool:
        """Tell whether nothing is asked any more, and nothing was shown that has to be ended."""
        if holding.left or holding.lease.answered is not None:
            return False
        return not await self._sends(holding.lease, message).begun()

    async def _retract(self, lease: Lease, post: str) -> None:
        """Forget what a post asked and brought, as it was deleted or is asked anew."""
        digests = await self._mailbox.retract(lease, post)
        await self._commands.erase_files(lease.run[0].message.thread, digests)

    async def _tell(self, holding: Holding, message: Message, text: str) -> None:
        sends = self._sends(holding.lease, message)
        await sends.say(0, Post(texts.with_prefix(text, sends.abilities.prefix)))
        await self._done(holding.lease)

    async def _never_began(self, lease: Lease, message: Message) -> None:
        """Close what stands of a message that was stopped while it waited, or after a crash."""
        reply = await self._end(
            lease, message, texts.STOPPED_EARLY, texts.STOPPED_HERE, stopped=True
        )
        asked = self._asking.known(lease.run)
        turn = Turn(
            id=asked.id,
            at=asked.at,
            author=asked.author,
            question=asked.words or texts.default_question(*asked.counts),
            answer=reply.kept,
            status="stopped",
            posts=TurnPosts(asked.messages, reply.sent),
        )
        await self._done(lease, AnsweredTurn(turn, ()) if reply.kept else None)

    async def _end(
        self, lease: Lease, message: Message, alone: str, below: str, *, stopped: bool = False
    ) -> Reply:
        """End the reply to a message with a sentence, below what was shown of an answer."""
        sends = self._sends(lease, message)
        reply = Reply(sends, sends.abilities, asyncio.Event())
        try:
            await reply.open(alone, live=False)
            parts = reply.ended(alone, below)
            last = Post(parts[-1], generated=bool(reply.kept), stopped=stopped)
            await reply.finish(parts, last)
        finally:
            await reply.close()
        return reply

    async def _execute(self, holding: Holding, message: Message, command: Command) -> None:
        lease = holding.lease
        if holding.stop.is_set():
            await self._tell(holding, message, texts.STOPPED_EARLY)
            return
        if message.shortened and command.argument:
            await self._tell(holding, message, texts.command_too_long(self._messages))
            return
        if message.version:
            await self._retract(lease, message.id)
        sends = self._sends(lease, message)
        whole = await sends.channel.complete(message)
        entry = replace(lease.run[0], message=whole)
        command = self._commands.grammar.parse(whole.text) or command
        request = CommandRequest(command, entry, sends.abilities, time.time())
        reply = await self._commands.execute(request)
        try:
            await self._post_reply(sends, reply)
            if reply.file and not await self._send_file(sends, reply):
                await self._without_file(sends, request, len(reply.texts) + 1)
        except (ConversationGone, DeliveryRefused) as error:
            # What is to be erased is erased, even where the receipt cannot be shown.
            if reply.erase == "nothing":
                raise
            log.warning("receipt_not_shown", error=type(error).__name__)
        if not await self._mailbox.done(lease, erase=reply.erase):
            raise LeaseLost

    async def _post_reply(self, sends: Outbox, reply: CommandReply, first: int = 0) -> None:
        for index, text in enumerate(reply.texts):
            last = index == len(reply.texts) - 1
            await sends.say(first + index, Post(text, buttons=reply.buttons if last else ()))

    async def _without_file(self, sends: Outbox, request: CommandRequest, first: int) -> None:
        """Post in messages what was meant to be a file."""
        without_files = replace(request, abilities=replace(request.abilities, files=False))
        reply = await self._commands.execute(without_files)
        await self._post_reply(
            sends, replace(reply, texts=(texts.NO_FILE_HERE, *reply.texts)), first
        )

    async def _send_file(self, sends: Outbox, reply: CommandReply) -> bool:
        """Send the transcript as a file; return false where the platform does not take it."""
        part = len(reply.texts)
        try:
            await sends.hand_over(part, "transcript.json", "application/json", reply.file)
        except DeliveryRefused as error:
            log.warning("file_not_handed_over", why=str(error))
            return False
        return True

    async def _answer(self, holding: Holding, message: Message) -> None:
        sends = self._sends(holding.lease, message)
        reply = Reply(sends, sends.abilities, holding.stop)
        try:
            result = holding.lease.answered or await self._ask(holding, reply)
            names = {photo.number: photo.label for photo in result.pointed}
            last = Post(
                result.parts[-1],
                live=True,
                generated=bool(result.turn.answer),
                stopped=result.turn.status == "stopped",
                citations=citations(result.turn.grounding.outlines, names),
            )
            await reply.finish(result.parts, last)
            await self._illustrations.show(sends, message.thread, result)
            posts = replace(result.turn.posts, answers=reply.sent)
            turn = replace(result.turn, posts=posts)
            await self._done(holding.lease, replace(result, turn=turn))
        finally:
            await reply.close()

    async def _ask(self, holding: Holding, reply: Reply) -> AnsweredTurn:
        """Run the turn, and store what came of it before its last edit."""
        await reply.open(texts.placeholder(*_files_of(holding.lease)))
        lease = await self._gathered(holding, reply)
        thread = lease.run[0].message.thread
        for entry in lease.run:
            if entry.message.version:
                await self._retract(lease, entry.message.id)
        past = await self._history.past(thread, NEWEST)
        force = await self._preferences.of(thread)
        entries = holding.left or lease.run
        question = await self._asking.of(entries, past, forgot=lease.generation > 0)
        outcome = await self._turns.run(question, past, force, reply, holding.stop)
        if not outcome.hinted:
            await self._hints.unteach(entries[0].message)
        result = AnsweredTurn(
            turn=outcome.turn,
            parts=reply.whole(outcome.text),
            photos=outcome.photos,
            request=outcome.request,
            pointed=pointed(outcome, past),
            videos=outcome.videos,
            cited=frames_cited(outcome, past),
        )
        if not await self._mailbox.answered(lease, result):
            raise LeaseLost
        holding.lease = replace(lease, answered=result)
        return result

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


def _files_of(lease: Lease) -> tuple[int, int]:
    """Count the photos and the videos that may be had, as far as they claim to be such."""
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
