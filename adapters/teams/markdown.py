"""Markdown of the common subset, as Teams shows it.

Teams knows no headings that look alike everywhere and no tables, and lets some HTML through. The
translation goes line by line and looks only back, so that a growing text stays growing.
"""

from __future__ import annotations

import re

from adapters.chat.escape import JOINER

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]+(.*))?")
ROW = re.compile(r"[ \t]*\|(.*)\|[ \t]*")
RULE = frozenset(" \t:|-")
CELL = re.compile(r"(?<!\\)\|")
IMAGE = re.compile(r"!\[([^][]{0,500})\]\([^()]{0,2000}\)")
UNFINISHED_IMAGE = re.compile(r"!(\[[^][]{0,500}(\](\([^()]{0,2000})?)?)?$")
SPAN = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)")
CLOSED_SPAN = re.compile(SPAN.pattern + r"(?!$)")
TAG = re.compile(r"<(?=[A-Za-z/!?])")
MAY_CHANGE = re.compile(r"[ \t]*(#{1,6}([ \t]|$)|\||```|~~~|[`~]{1,2}$)")


def translate(text: str) -> str:
    """Turn headings into bold lines and tables into lists; drop images and disarm HTML."""
    shown: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = _fence(line, fence)
        if fence or mark:
            shown.append(_code(line))
        else:
            shown.extend(_lines(line, shown))
        if mark:
            fence = "" if fence else mark
    return "\n".join(shown).rstrip()


def stable_part(text: str) -> str:
    """Cut from the end of a growing text what more text could change the look of."""
    head, break_, last = text.rpartition("\n")
    if MAY_CHANGE.match(last):
        return head
    start = end = 0
    while (start := last.find("`", end)) >= 0 and (span := CLOSED_SPAN.match(last, start)):
        end = span.end()
    prose = last[end : start if start >= 0 else None]
    return head + break_ + last[:end] + UNFINISHED_IMAGE.sub("", prose)


def _fence(line: str, fence: str) -> str:
    """Give the marks that open a code block here, or that close the one that `fence` opened."""
    found = FENCE.match(line)
    if not found:
        return ""
    marks = found[1]
    if not fence:
        return marks
    return marks if marks.startswith(fence) and line.strip() == marks else ""


def _lines(line: str, before: list[str]) -> list[str]:
    """Translate a line outside of code into none, one or two."""
    if heading := HEADING.fullmatch(line):
        apart = [""] if before and before[-1] else []
        return [*apart, _inline(_bold(heading[1] or "")), ""]
    if row := ROW.fullmatch(line):
        ruled = "-" in row[1] and RULE.issuperset(row[1])
        return [] if ruled else [_inline(_row(row[1]))]
    return [_inline(line)]


def _bold(title: str) -> str:
    """Make a title bold, without marks of its own and without closing hashes."""
    title = title.strip().replace("**", "")
    open_ = title.rstrip("#")
    title = open_.rstrip() if open_.endswith((" ", "\t")) or not open_ else title
    return f"**{title}**" if title else ""


def _row(cells: str) -> str:
    shown = (cell.strip().replace("\\|", "|") for cell in CELL.split(cells))
    return "- " + " · ".join(cell for cell in shown if cell)


def _inline(line: str) -> str:
    parts, at = [], 0
    for span in SPAN.finditer(line):
        parts += [_prose(line[at : span.start()]), _code(span[0])]
        at = span.end()
    return "".join([*parts, _prose(line[at:])])


def _prose(words: str) -> str:
    """Name images instead of showing them, and escape what could begin a tag."""
    return IMAGE.sub(r"\1", words).replace("![", f"!{JOINER}[").replace("<", "&lt;")


def _code(line: str) -> str:
    """Part what would be an image or a tag if this were no code; it looks the same.

    Entities such as `&lt;` would be shown as they are here.
    """
    return TAG.sub(f"<{JOINER}", line).replace("![", f"!{JOINER}[")
