"""The marks of Markdown within a line, and the text that replaces each to make it safe."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.text.escape import INERT
from bot.text.graphemes import boundary
from bot.text.links import LOOKAHEAD, WORD, is_address, normalise, trim
from bot.text.markdown_writer import MarkdownPiece, MarkdownToken, MarkdownWriter, code, raw

if TYPE_CHECKING:
    from collections.abc import Iterable

BACKTICK = "\u02cb"
"""Replaces a backtick that is no code, so that no client pairs it."""

_TICKS = re.compile(r"`+")
_ANGLE = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>|`]*|[^\s<>|`@]+@[^\s<>|`]+)>")
_ANGLE_SO_FAR = re.compile(r"<[^\s<>|`]*\Z")
_TAG_STARTS = re.compile(r"[A-Za-z/!?@#$%]")
_DESTINATION = re.compile(
    r"\([ \t]*(<[^<>\n]*>|(?:[^\s()<>]|\([^\s()]*\))*)"
    r"(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'|\([^()\n]*\)))?[ \t]*\)"
)
_BRACKETS = re.compile(r"\\[^\n]|[\[\]\n]")
_NO_MARKS = re.compile(r"[^A-Za-z0-9/`\[!\]<@~\\\n\x80-\U0010ffff]+")
_WORDS = re.compile(r"(?:[A-Za-z0-9]+[,.;:]? )+")
_BEYOND_ASCII = re.compile(r"[\x80-\U0010ffff]+")
_ESCAPABLE = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_{|}~")


@dataclass(frozen=True, slots=True)
class Lookahead:
    """A place in growing text, and how far a decision there may look: `LOOKAHEAD` code points."""

    text: str
    at: int
    final: bool

    @property
    def stop(self) -> int:
        """The first place out of reach."""
        return min(self.at + LOOKAHEAD, len(self.text))

    @property
    def sees_end(self) -> bool:
        """Whether the end of the whole text is in view."""
        return self.final and self.stop - self.at < LOOKAHEAD

    @property
    def is_final(self) -> bool:
        """Whether no more can come into view, so that a decision is due now."""
        return self.final or self.stop - self.at == LOOKAHEAD

    @property
    def next(self) -> str:
        """The following code point; empty at the end."""
        return self.text[self.at + 1 : self.at + 2]

    @property
    def awaits_next(self) -> bool:
        """Whether the following code point is yet to come."""
        return not self.next and not self.final

    @property
    def line_end(self) -> int:
        """Where the line ends, or -1 while that is not in view."""
        return self.text.find("\n", self.at, self.stop)


class InlineMarks:
    """Reads token after token; `links` are the addresses that may be active."""

    def __init__(self, links: Iterable[str] = ()) -> None:
        self._links = frozenset(normalise(link) for link in links)
        self._readers = {
            "`": self._span,
            "[": self._link,
            "!": self._image,
            "]": _bracket,
            "<": self._angle,
            "@": _at,
            "~": _tilde,
            "\\": _escape,
        }

    def token(self, view: Lookahead) -> MarkdownToken | None:
        """Return the token at a place; None if it depends on text yet to come."""
        text, at = view.text, view.at
        if reader := self._readers.get(text[at]):
            return reader(view)
        if words := _WORDS.match(text, at) or _NO_MARKS.match(text, at):
            return raw(words.end(), words[0])
        if word := WORD.match(text, at, view.stop):
            return self._word(view, word)
        return _beyond_ascii(view) if ord(text[at]) > 0x7F else raw(at + 1, text[at])

    def tame(self, text: str) -> str:
        """Make a text within a line safe."""
        output, at, writer = "", 0, MarkdownWriter()
        while at < len(text) and (token := self.token(Lookahead(text, at, final=True))):
            output += writer.write(token)
            at = token.end
        return output

    def _word(self, view: Lookahead, word: re.Match[str]) -> MarkdownToken | None:
        """Read a run of letters, which may be an address."""
        if word.end() == view.stop and not view.is_final:
            return None
        address = trim(word[0])
        if not is_address(address):
            return raw(word.end(), word[0].replace("@", f"@{INERT}"))
        is_complete = view.sees_end or word.end() < view.stop
        # A client may take these for a part of the address.
        may_go_on = view.text[word.end() : word.end() + 1] in {*'[]\\|"`'}
        if is_complete and not may_go_on and normalise(address) in self._links:
            return raw(view.at + len(address), address)
        return MarkdownToken(view.at + len(address), (code(address),))

    def _span(self, view: Lookahead) -> MarkdownToken | None:
        """Read a code span, which is passed on if it is in one line."""
        text, line_end = view.text, view.line_end
        opening = _TICKS.match(text, view.at, view.stop)
        assert opening is not None
        limit = view.stop if line_end < 0 else line_end
        for closing in _TICKS.finditer(text, opening.end(), limit):
            is_complete = closing.end() < limit or line_end >= 0 or view.sees_end
            if is_complete and len(closing[0]) == len(opening[0]):
                content = text[opening.end() : closing.start()]
                if self._reads_alike(content):
                    ticks = opening[0] if "`" in content else "`"
                    return MarkdownToken(
                        closing.end(), (MarkdownPiece(f"{ticks}{content}{ticks}", "whole"),)
                    )
                break
        else:
            if line_end < 0 and not view.is_final:
                return None
        return raw(opening.end(), BACKTICK * len(opening[0]))

    def _reads_alike(self, content: str) -> bool:
        """Return whether a span is safe even where a client does not see it as one.

        Tables cut cells at pipes before they look for code, and not every client knows spans
        that hold backticks.
        """
        text = content.replace("`", BACKTICK)
        return not {"|", "`"} & {*content} or self.tame(text) == text

    def _angle(self, view: Lookahead) -> MarkdownToken | None:
        """Read `<…>`: an address becomes code or a link, a tag or mention loses its meaning."""
        if address := _ANGLE.match(view.text, view.at, view.stop):
            is_active = normalise(address[1]) in self._links
            return MarkdownToken(
                address.end(),
                (MarkdownPiece(address[0], "whole") if is_active else code(address[1]),),
            )
        if _ANGLE_SO_FAR.match(view.text, view.at, view.stop) and not view.is_final:
            return None
        return raw(view.at + 1, f"<{INERT}" if _TAG_STARTS.match(view.next) else "<")

    def _image(self, view: Lookahead) -> MarkdownToken | None:
        """Read `![alt](address)`, which becomes its alternative text."""
        if view.awaits_next:
            return None
        if view.next != "[":
            return raw(view.at + 1, "!")
        return self._read_brackets(view, view.at + 1)

    def _link(self, view: Lookahead) -> MarkdownToken | None:
        """Read `[text](address)`, which becomes `text (address)`."""
        return self._read_brackets(view, view.at)

    def _read_brackets(self, view: Lookahead, opening: int) -> MarkdownToken | None:
        text = view.text
        is_no_link = view.is_final or view.line_end >= 0
        closing = _matching_bracket(text, opening, view.stop)
        if closing > 0 and closing + 1 < view.stop:
            if link := _DESTINATION.match(text, closing + 1, view.stop):
                label = text[opening + 1 : closing]
                if opening > view.at:
                    return MarkdownToken(link.end(), (MarkdownPiece(self.tame(label), "moved"),))
                return MarkdownToken(link.end(), self._link_pieces(label, link[1]))
            is_no_link = is_no_link or text[closing + 1] != "("
        return raw(view.at + 1, text[view.at]) if is_no_link else None

    def _link_pieces(self, label: str, target: str) -> tuple[MarkdownPiece, ...]:
        """Return a link: active if people wrote its address, else as text."""
        address, text = target.strip("<>"), self.tame(label)
        if normalise(address) in self._links:
            return (MarkdownPiece(f"[{text}]({target})", "whole"),)
        if label == address:
            return (code(address),)
        if not address or not text:
            return (MarkdownPiece(text, "moved"), code(address))
        return (
            MarkdownPiece(text, "moved"),
            MarkdownPiece(" ("),
            code(address),
            MarkdownPiece(")"),
        )


def _matching_bracket(text: str, opening: int, stop: int) -> int:
    """Return the place of the `]` of a `[` in the same line, or -1."""
    depth = 0
    if text.find("]", opening, stop) < 0:
        return -1
    for mark in _BRACKETS.finditer(text, opening, stop):
        depth += {"[": 1, "]": -1}.get(mark[0], 0)
        if mark[0] == "\n":
            break
        if depth == 0 and mark[0] == "]":
            return mark.start()
    return -1


def _bracket(view: Lookahead) -> MarkdownToken | None:
    """Read a `]` that ends no link, so that clients read neither a link nor a definition."""
    if view.awaits_next:
        return None
    return raw(view.at + 1, f"]{INERT}" if view.next in {"(", ":"} else "]")


def _at(view: Lookahead) -> MarkdownToken | None:
    """Read an `@`, so that it mentions nobody."""
    if view.awaits_next:
        return None
    return raw(view.at + 1, f"@{INERT}" if view.next.strip() else "@")


def _tilde(view: Lookahead) -> MarkdownToken | None:
    """Read tildes: three would open a code block in some clients only."""
    run = view.text[view.at : view.at + 3]
    if run == "~~~":
        return raw(view.at + 3, f"~{INERT}" * 3)
    if not run.strip("~") and not view.final and len(run) < 3:
        return None
    return raw(view.at + 1, "~")


def _escape(view: Lookahead) -> MarkdownToken | None:
    """Read a backslash and what it escapes, so that clients with and without escapes agree."""
    if view.awaits_next:
        return None
    if view.next == "`":
        return raw(view.at + 2, BACKTICK)
    if view.next not in _ESCAPABLE:
        return raw(view.at + 1, "\\")
    return raw(view.at + 2, f"\\{view.next}{INERT if view.next in '/:.@<]' else ''}")


def _beyond_ascii(view: Lookahead) -> MarkdownToken | None:
    """Read letters beyond ASCII, up to the last whole character."""
    run = _BEYOND_ASCII.match(view.text, view.at, view.stop)
    assert run is not None
    end = run.end()
    if end == len(view.text) and not view.final:
        end = boundary(view.text, end - 1)
    return raw(end, view.text[view.at : end]) if end > view.at else None
