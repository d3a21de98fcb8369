"""The parts of a turn, put together as the bot does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.attachments.vision import VisionPass
from bot.turn.budgets import ModelBudgets
from bot.turn.preparation import QuestionPreparer
from bot.turn.request import RequestComposer
from bot.turn.runner import TurnRunner
from bot.turn.stages import CollectedQuestion
from bot.turn.toolboxes import ToolboxBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.attachments.collected_files import CollectedFiles
    from bot.attachments.store import AttachmentStore
    from bot.domain.history import ThreadHistory
    from bot.domain.preferences import EffectiveSettings
    from bot.domain.question import Question
    from bot.limits import Limits
    from bot.ports.model import Model
    from bot.turn.stages import ComposedRequest
    from bot.video.footage import FrameStore


class TurnParts:
    """What prepares questions and composes requests, and runners of whole turns."""

    def __init__(
        self, attachments: AttachmentStore, vision: Any, videos: Any, limits: Limits
    ) -> None:
        self._attachments = attachments
        self._limits = limits
        self.budgets = ModelBudgets(limits.requests, {})
        self._preparer = QuestionPreparer(
            attachments,
            VisionPass(vision, attachments, limits.turns),
            videos,
            self.budgets,
            limits.files,
            limits.messages,
            limits.requests,
        )
        self._composer = RequestComposer(attachments, limits.files, limits.requests)

    async def compose(
        self,
        question: Question,
        files: CollectedFiles,
        past: ThreadHistory,
        settings: EffectiveSettings,
        say: Callable[[str], None],
        *,
        leads: bool = False,
    ) -> ComposedRequest:
        """Prepare a question whose files are collected, and compose its request."""
        question_files = CollectedQuestion(question, past, settings, files)
        preparation = await self._preparer.prepare(question_files, say, leads=leads)
        return await self._composer.compose(preparation)

    def runner(self, model: Model, frames: FrameStore) -> TurnRunner:
        """Return what runs whole turns with a model."""
        return TurnRunner(
            model,
            self._attachments,
            self._preparer,
            self._composer,
            ToolboxBuilder(self._attachments, frames, self._limits.tools),
            self.budgets,
            self._limits.turns,
            self._limits.requests,
        )
