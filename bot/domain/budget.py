"""How much a request to a model may hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """What a request may hold: pictures, tokens, and the family that prices pictures."""

    pictures: int
    tokens: int
    family: str = ""

    @property
    def words(self) -> int:
        """Tokens that pictures leave to the earlier turns, whatever a contact sheet costs."""
        return self.tokens // 8
