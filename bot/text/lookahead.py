"""What a reader of growing text may look at."""

from __future__ import annotations

from dataclasses import dataclass

HELD = 300
"""Most code points that one decision may look at."""


@dataclass(frozen=True, slots=True)
class Lookahead:
    """A place in the text, and how far a decision there may look: `HELD` code points."""

    text: str
    at: int
    final: bool

    @property
    def stop(self) -> int:
        """The first place out of reach."""
        return min(self.at + HELD, len(self.text))

    @property
    def ended(self) -> bool:
        """Whether the end of the whole text is in view."""
        return self.final and self.stop - self.at < HELD

    @property
    def last(self) -> bool:
        """Whether no more can come into view, so that a decision has to be taken now."""
        return self.final or self.stop - self.at == HELD

    @property
    def next(self) -> str:
        """The following code point; empty at the end."""
        return self.text[self.at + 1 : self.at + 2]

    @property
    def unsure(self) -> bool:
        """Whether the following code point is yet to come."""
        return not self.next and not self.final

    @property
    def line_end(self) -> int:
        """Where the line ends, or -1 while that is not in view."""
        return self.text.find("\n", self.at, self.stop)
