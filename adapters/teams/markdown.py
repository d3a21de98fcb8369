"""Translation of Markdown of the common subset for Teams.

In Teams there are no tables, headings differ between clients, and some HTML tags take effect. The
translation goes line by line and never depends on later lines, so that the translation of a growing
text grows too.
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
    """Return text with headings as bold lines, tables as lists, and without images and HTML."""
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = _fence(line, fence)
        if fence or mark:
            lines.append(_code(line))
        else:
            lines.extend(_lines(line, lines))
        if mark:
            fence = "" if fence else mark
    return "\n".join(lines).rstrip()


def stable_part(text: str) -> str:
    """Return a growing text without the end whose look could change with more text."""
    head, break_, last = text.rpartition("\n")
    if MAY_CHANGE.match(last):
        return head
    start = end = 0
    while (start := last.find("`", end)) >= 0 and (span := CLOSED_SPAN.match(last, start)):
        end = span.end()
    prose = last[end : start if start >= 0 else None]
    return head + break_ + last[:end] + UNFINISHED_IMAGE.sub("", prose)


def _fence(line: str, fence: str) -> str:
    """Return the marks that open a code block, or close the one that `fence` opened; else empty."""
    match = FENCE.match(line)
    if not match:
        return ""
    marks = match[1]
    if not fence:
        return marks
    return marks if marks.startswith(fence) and line.strip() == marks else ""


def _lines(line: str, before: list[str]) -> list[str]:
    """Translate a line outside of code into up to three lines."""
    if heading := HEADING.fullmatch(line):
        separator = [""] if before and before[-1] else []
        return [*separator, _inline(_bold(heading[1] or "")), ""]
    if row := ROW.fullmatch(line):
        is_rule = "-" in row[1] and RULE.issuperset(row[1])
        return [] if is_rule else [_inline(_row(row[1]))]
    return [_inline(line)]


def _bold(title: str) -> str:
    """Return a title in bold, without bold parts and closing hashes."""
    title = title.strip().replace("**", "")
    without_hashes = title.rstrip("#")
    if not without_hashes or without_hashes.endswith((" ", "\t")):
        title = without_hashes.rstrip()
    return f"**{title}**" if title else ""


def _row(cells: str) -> str:
    texts = (cell.strip().replace("\\|", "|") for cell in CELL.split(cells))
    return "- " + " · ".join(text for text in texts if text)


def _inline(line: str) -> str:
    parts, end = [], 0
    for span in SPAN.finditer(line):
        parts += [_prose(line[end : span.start()]), _code(span[0])]
        end = span.end()
    return "".join([*parts, _prose(line[end:])])


def _prose(words: str) -> str:
    """Replace images by their descriptions, and escape what could begin a tag."""
    return IMAGE.sub(r"\1", words).replace("![", f"!{JOINER}[").replace("<", "&lt;")


def _code(line: str) -> str:
    """Separate the characters of images and tags, which looks the same.

    In code, entities such as `&lt;` would be shown literally.
    """
    return TAG.sub(f"<{JOINER}", line).replace("![", f"!{JOINER}[")
