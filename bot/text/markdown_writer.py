"""What is written for the tokens of a text, and how it is joined."""

from __future__ import annotations

from typing import Literal, NamedTuple

INERT = "\u200b"
"""Zero-width space: put inside a mark, it takes away the meaning but not the look."""

_MEANT_WITH_NEXT = frozenset("`\\!]")
_OPEN = f"(*_{INERT}"

Kind = Literal["raw", "moved", "whole"]


class MarkdownPiece(NamedTuple):
    """Text to write: `raw` where it stood, `moved` out of a mark, a code span or link `whole`."""

    text: str
    kind: Kind = "raw"


class MarkdownToken(NamedTuple):
    """A decision: the text up to `end` is done with, and `pieces` are written for it."""

    end: int
    pieces: tuple[MarkdownPiece, ...]


class MarkdownWriter:
    """Joins pieces so that neighbours which stood apart in the source mean nothing together."""

    def __init__(self) -> None:
        self._last = ""
        self._kind: Kind = "raw"

    def write(self, token: MarkdownToken) -> str:
        """Return what is shown for a token."""
        return "".join(self._joined(piece) for piece in token.pieces if piece.text)

    def _joined(self, piece: MarkdownPiece) -> str:
        if piece.kind == "whole":
            apart = self._last in _MEANT_WITH_NEXT
        else:
            moved = "moved" in {self._kind, piece.kind}
            apart = moved and bool(self._last.strip(_OPEN) and piece.text[0].strip())
        self._last, self._kind = piece.text[-1].strip(), piece.kind
        return INERT + piece.text if apart else piece.text


def raw(end: int, text: str) -> MarkdownToken:
    """Write a text as it is."""
    return MarkdownToken(end, (MarkdownPiece(text),))


def code(address: str) -> MarkdownPiece:
    """Write an address as code, which no client makes a link of."""
    quoted = address.replace("`", "%60").replace("|", "%7C").strip()
    return MarkdownPiece(f"`{quoted}`" if quoted else "", "whole")
