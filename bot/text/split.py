"""Long texts in parts: one message each, cut where it disturbs least."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from bot.text.graphemes import boundary

PARAGRAPH, LINE, SENTENCE, WORD, CHARACTER = (Fraction(part, 32) for part in (24, 26, 28, 30, 31))
"""The fraction of the limit from which a part may end where such a unit ends."""

_OPENING = re.compile(r"(`{3,})[^`\n]*\n")
_ROW = re.compile(r"[ \t]*\|")
_DELIMITER = re.compile(r"[ \t]*\|(?:[ \t]*:?-+:?[ \t]*\|)*[ \t]*(?::?-+:?[ \t]*)?\n")
_BLANK_LINES = re.compile(r"\A(?:[ \t]*\n)+")
_SEPARATOR = "\u200b"


@dataclass(frozen=True, slots=True)
class _SplitPoint:
    """Where a part ends, and what the code or the table at the cut needs.

    `fence` is the opening line, `heading` the first two lines.
    """

    at: int
    fence: str = ""
    closing: str = ""
    reopening: str = ""
    heading: str = ""


def split(text: str, limit: int) -> list[str]:
    """Cut a text into parts of at most `limit` code points (at least 200); none is empty.

    A part ends at the first paragraph end past three quarters of the limit, or a little later at
    the end of a line, sentence, word or character. Code that is cut is closed, and opened again
    with its language; a table that is cut goes on below its heading. White space at the cuts is
    lost, nothing else. Fences are expected as `bot.text.markdown` writes them.

    Each cut depends only on the text before it. As a text grows, each part of it therefore only
    grows too, and is final once another follows.
    """
    parts, rest = [], text.lstrip()
    while cut := _find(rest, limit):
        parts.append(rest[: cut.at].rstrip() + cut.closing)
        rest = _rest_after(rest, cut)
    return [*parts, rest.rstrip()] if rest else parts


def closing(text: str, limit: int) -> str:
    """Return what closes the code block that a text ends in; empty where it ends in none."""
    fence = ""
    for line in text.split("\n"):
        fence = _fence_after(fence, f"{line}\n", limit)
    return f"\n{_run(fence)}" if fence else ""


def _find(text: str, limit: int) -> _SplitPoint | None:
    """Return the end of the first part, if it is in the text."""
    fence, heading, before, start = "", "", "", 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        line = text[start:end]
        before_line, fence = (fence, heading), _fence_after(fence, line, limit)
        heading = "" if fence else _heading_after(heading, before, line, limit)
        if fence == before_line[0] and (cut := _within_line(text, start, end, fence, limit)):
            return cut
        enough = limit * (LINE if line.strip() else PARAGRAPH)
        opens = (fence, heading) != before_line and (fence or heading)
        if line.endswith("\n") and end >= enough and not opens and not _heads(before, line, limit):
            return _SplitPoint(end, fence, f"\n{_run(fence)}" if fence else "", heading=heading)
        before, start = line, end
    return None


def _heading_after(heading: str, before: str, line: str, limit: int) -> str:
    """Return the heading of the table that is open after a line, unless it is too long."""
    if heading:
        return heading if _ROW.match(line) else ""
    begins = _ROW.match(before) and _DELIMITER.fullmatch(line)
    return before + line if begins and len(before + line) <= limit // 8 else ""


def _heads(before: str, line: str, limit: int) -> bool:
    """Return whether a line may be the first of a table, which means nothing without the next."""
    return not _ROW.match(before) and bool(_ROW.match(line)) and len(line) <= limit // 16


def _fence_after(fence: str, line: str, limit: int) -> str:
    """Return the opening of the code block that is open after a line, unless it is too long."""
    if fence:
        return "" if line.rstrip() == _run(fence) and line.endswith("\n") else fence
    opening = _OPENING.fullmatch(line)
    return line.rstrip() if opening and len(line) <= limit // 16 else ""


def _run(fence: str) -> str:
    """Return the backticks of an opening line."""
    return fence[: len(fence) - len(fence.lstrip("`"))]


def _within_line(text: str, start: int, end: int, fence: str, limit: int) -> _SplitPoint | None:
    """Return a cut in a line that goes past the limit."""
    closing = f"\n{_run(fence)}" if fence else "`"
    room = limit - len(closing)
    row = not fence and _ROW.match(text, start)
    for at in range(max(start + 1, int(limit * SENTENCE)), end):
        if text[at] == "\n":
            return None
        part, at_limit = Fraction(at, limit), at == room
        if fence:
            if at_limit or _ends_code(text, at, part):
                return _SplitPoint(at, fence, closing, _SEPARATOR if at_limit else "")
        elif text.count("`", start, at) % 2:
            if at_limit or (part >= CHARACTER and _between(text, at, "`")):
                return _SplitPoint(at, "", "`", "`")
        elif at_limit or (_ends_row if row else _ends_prose)(text, at, part):
            return _SplitPoint(at)
    return None


def _ends_prose(text: str, at: int, part: Fraction) -> bool:
    """Return whether prose may be cut at a place, so far into the part."""
    before, after = text[at - 1], text[at]
    if before in "。！？" or (after.isspace() and (before in ".!?…" or part >= WORD)):
        return True
    return _ends_row(text, at, part)


def _ends_row(text: str, at: int, part: Fraction) -> bool:
    """Return whether a row of a table has to be cut, which spoils it."""
    return part >= CHARACTER and _between(text, at, "")


def _ends_code(text: str, at: int, part: Fraction) -> bool:
    """Return whether a line of code may be cut: the rest must not look like a fence."""
    word = part >= WORD and text[at - 1].isspace()
    return (word or part >= CHARACTER) and _between(text, at, " \t`")


def _between(text: str, at: int, but: str) -> bool:
    """Return whether a place is between two characters, neither of them one of `but`."""
    apart = text[at] not in but and (text[at - 1] not in but or text[at - 1].isspace())
    return apart and boundary(text, at) == at


def _rest_after(text: str, cut: _SplitPoint) -> str:
    """Return the rest after a cut; empty while nothing visible is in it."""
    rest = text[cut.at :]
    if cut.heading and _ROW.match(rest):
        return cut.heading + rest
    if not cut.fence:
        rest = rest.lstrip()
        return cut.reopening + rest if rest else ""
    if text[cut.at - 1] == "\n":
        rest = _BLANK_LINES.sub("", rest)
        first, _, others = rest.partition("\n")
        if first.rstrip() == _run(cut.fence):
            return others.lstrip()
        if _run(cut.fence).startswith(rest.rstrip()):
            return ""
    return f"{cut.fence}\n{cut.reopening}{rest}" if rest.strip() else ""
