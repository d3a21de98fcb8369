"""The tokens of a text, the pieces written for them, and how pieces are joined."""

from __future__ import annotations

from typing import Literal, NamedTuple

from bot.text.escape import INERT

_MEANT_WITH_NEXT = frozenset("`\\!]")
_OPEN = f"(*_{INERT}"

Kind = Literal["raw", "moved", "whole"]


class MarkdownPiece(NamedTuple):
    """Text to write: `raw` where it was, `moved` out of a mark, a code span or link `whole`."""

    text: str
    kind: Kind = "raw"


class MarkdownToken(NamedTuple):
    """A decision: `pieces` are written for the text up to `end`."""

    end: int
    pieces: tuple[MarkdownPiece, ...]


class MarkdownWriter:
    """Joins pieces so that neighbours that were apart in the source mean nothing together."""

    def __init__(self) -> None:
        self._last = ""
        self._kind: Kind = "raw"

    def write(self, token: MarkdownToken) -> str:
        """Return what is shown for a token."""
        return "".join(self._join(piece) for piece in token.pieces if piece.text)

    def _join(self, piece: MarkdownPiece) -> str:
        if piece.kind == "whole":
            apart = self._last in _MEANT_WITH_NEXT
        else:
            are_new_neighbours = "moved" in {self._kind, piece.kind}
            apart = are_new_neighbours and bool(self._last.strip(_OPEN) and piece.text[0].strip())
        self._last, self._kind = piece.text[-1].strip(), piece.kind
        return INERT + piece.text if apart else piece.text


def raw(end: int, text: str) -> MarkdownToken:
    """Return a token that writes a text as it is."""
    return MarkdownToken(end, (MarkdownPiece(text),))


def code(address: str) -> MarkdownPiece:
    """Return an address as code, of which no client makes a link."""
    span = address.replace("`", "%60").replace("|", "%7C").strip()
    return MarkdownPiece(f"`{span}`" if span else "", "whole")
