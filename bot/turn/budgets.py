"""What a request to each model may hold, by what its pictures cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.budget import Budget
from bot.domain.token_costs import family_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.limits import RequestLimits


class ModelBudgets:
    """The budgets of models by name; learns a model's family from who answers under that name."""

    def __init__(self, limits: RequestLimits, families: Mapping[str, str]) -> None:
        self._limits = limits
        self._families = dict(families)

    def of(self, model: str) -> Budget:
        """Return the budget of a model."""
        family = self._families.get(model) or family_of(model)
        return Budget(self._limits.max_pictures, self._limits.max_prompt_tokens, family)

    def learn(self, name: str, answered_by: str) -> None:
        """Learn a model's family from what the service says answered."""
        if not self._families.get(name) and (family := family_of(answered_by)):
            self._families[name] = family
