"""Problems: which of them may be gone at the next attempt."""

from __future__ import annotations

import pytest

from bot.errors import ModelProblem, ModelReason, VisionProblem, VisionReason

TEMPORARY = {"busy", "failed", "timed_out", "unreachable", "cut"}


@pytest.mark.parametrize("reason", ModelReason)
def test_problems_of_models_that_may_pass(reason: ModelReason) -> None:
    assert ModelProblem(reason).temporary == (reason.value in TEMPORARY)


@pytest.mark.parametrize("reason", VisionReason)
def test_problems_of_vision_that_may_pass(reason: VisionReason) -> None:
    assert VisionProblem(reason).temporary == (reason.value in TEMPORARY)
