"""The marks of Markdown within a line: what each becomes when it is made safe to show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.text.graphemes import boundary
from bot.text.links import WORD, is_address, same, trimmed
from bot.text.lookahead import Lookahead
from bot.text.markdown_writer import INERT, MarkdownPiece, MarkdownToken, MarkdownWriter, code, raw

if TYPE_CHECKING:
    from collections.abc import Iterable

BACKTICK = "\u02cb"
"""Stands for a backtick that is no code, so that no client pairs it."""

_TICKS = re.compile(r"`+")
_ANGLE = re.compile(r"<([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>|`]*|[^\s<>|`@]+@[^\s<>|`]+)>")
_ANGLE_SO_FAR = re.compile(r"<[^\s<>|`]*\Z")
_TAG_STARTS = re.compile(r"[A-Za-z/!?@#$%]")
_DESTINATION = re.compile(
    r"\([ \t]*(<[^<>\n]*>|(?:[^\s()<>]|\([^\s()]*\))*)"
    r"(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'|\([^()\n]*\)))?[ \t]*\)"
)
_BRACKETS = re.compile(r"\\[^\n]|[\[\]\n]")
_PLAIN = re.compile(r"[^A-Za-z0-9/`\[!\]<@~\\\n\x80-\U0010ffff]+")
_WORDS = re.compile(r"(?:[A-Za-z0-9]+[,.;:]? )+")
_BEYOND_ASCII = re.compile(r"[\x80-\U0010ffff]+")
_ESCAPABLE = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_{|}~")


class InlineMarks:
    """Reads token after token; `links` are the addresses that may be active."""

    def __init__(self, links: Iterable[str] = ()) -> None:
        self._links = frozenset(same(link) for link in links)
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
        """Decide on the text at a place; None when that depends on text yet to come."""
        text, at = view.text, view.at
        if reader := self._readers.get(text[at]):
            return reader(view)
        if plain := _WORDS.match(text, at) or _PLAIN.match(text, at):
            return raw(plain.end(), plain[0])
        if word := WORD.match(text, at, view.stop):
            return self._word(view, word)
        return _beyond_ascii(view) if ord(text[at]) > 0x7F else raw(at + 1, text[at])

    def tame(self, text: str) -> str:
        """Make a text within a line safe."""
        shown, at, writer = "", 0, MarkdownWriter()
        while at < len(text) and (token := self.token(Lookahead(text, at, final=True))):
            shown += writer.write(token)
            at = token.end
        return shown

    def _word(self, view: Lookahead, word: re.Match[str]) -> MarkdownToken | None:
        """Read a run of letters, which may be an address."""
        if word.end() == view.stop and not view.last:
            return None
        address = trimmed(word[0])
        if not is_address(address):
            return raw(word.end(), word[0].replace("@", f"@{INERT}"))
        whole = view.ended or word.end() < view.stop
        # A client may take these for a part of the address.
        continued = view.text[word.end() : word.end() + 1] in {*'[]\\|"`'}
        if whole and not continued and same(address) in self._links:
            return raw(view.at + len(address), address)
        return MarkdownToken(view.at + len(address), (code(address),))

    def _span(self, view: Lookahead) -> MarkdownToken | None:
        """Read a code span, which is passed on when it stands in one line."""
        text, line_end = view.text, view.line_end
        opening = _TICKS.match(text, view.at, view.stop)
        assert opening is not None
        limit = view.stop if line_end < 0 else line_end
        for closing in _TICKS.finditer(text, opening.end(), limit):
            whole = closing.end() < limit or line_end >= 0 or view.ended
            if whole and len(closing[0]) == len(opening[0]):
                content = text[opening.end() : closing.start()]
                if self._reads_alike(content):
                    ticks = opening[0] if "`" in content else "`"
                    return MarkdownToken(
                        closing.end(), (MarkdownPiece(f"{ticks}{content}{ticks}", "whole"),)
                    )
                break
        else:
            if line_end < 0 and not view.last:
                return None
        return raw(opening.end(), BACKTICK * len(opening[0]))

    def _reads_alike(self, content: str) -> bool:
        """Tell whether a span is safe even where a client does not see it as one.

        Tables cut cells at pipes before they look for code, and not every client knows spans
        that hold backticks.
        """
        plain = content.replace("`", BACKTICK)
        return not {"|", "`"} & {*content} or self.tame(plain) == plain

    def _angle(self, view: Lookahead) -> MarkdownToken | None:
        """Read `<…>`: an address becomes code or a link, a tag or mention loses its meaning."""
        if address := _ANGLE.match(view.text, view.at, view.stop):
            named = same(address[1]) in self._links
            return MarkdownToken(
                address.end(), (MarkdownPiece(address[0], "whole") if named else code(address[1]),)
            )
        if _ANGLE_SO_FAR.match(view.text, view.at, view.stop) and not view.last:
            return None
        return raw(view.at + 1, f"<{INERT}" if _TAG_STARTS.match(view.next) else "<")

    def _image(self, view: Lookahead) -> MarkdownToken | None:
        """Read `![alt](address)`, which becomes its alternative text."""
        if view.unsure:
            return None
        if view.next != "[":
            return raw(view.at + 1, "!")
        return self._bracketed(view, view.at + 1)

    def _link(self, view: Lookahead) -> MarkdownToken | None:
        """Read `[text](address)`, which becomes `text (address)`."""
        return self._bracketed(view, view.at)

    def _bracketed(self, view: Lookahead, opening: int) -> MarkdownToken | None:
        text = view.text
        hopeless = view.last or view.line_end >= 0
        closing = _matching_bracket(text, opening, view.stop)
        if closing > 0 and closing + 1 < view.stop:
            if link := _DESTINATION.match(text, closing + 1, view.stop):
                label = text[opening + 1 : closing]
                if opening > view.at:
                    return MarkdownToken(link.end(), (MarkdownPiece(self.tame(label), "moved"),))
                return MarkdownToken(link.end(), self._linked(label, link[1]))
            hopeless = hopeless or text[closing + 1] != "("
        return raw(view.at + 1, text[view.at]) if hopeless else None

    def _linked(self, label: str, target: str) -> tuple[MarkdownPiece, ...]:
        """Write a link: active when people named its address, else as text."""
        address, text = target.strip("<>"), self.tame(label)
        if same(address) in self._links:
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
    """Find the `]` of a `[` in the same line, or -1."""
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
    """Read a `]` that ends no link: neither a link nor a definition may come of it."""
    if view.unsure:
        return None
    return raw(view.at + 1, f"]{INERT}" if view.next in {"(", ":"} else "]")


def _at(view: Lookahead) -> MarkdownToken | None:
    """Read an `@`, which may mention nobody."""
    if view.unsure:
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
    """Read a backslash and what it takes the meaning from, in clients that know it or not."""
    if view.unsure:
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
