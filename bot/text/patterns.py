"""Patterns for searching the text of an answer."""

from __future__ import annotations

import re

_CODE = re.compile(
    r"^(`{3,})[^\n]*\n.*?(?:^\1`*$|\Z)|(?<!`)(`+)(?!`)[^\n]+?(?<!`)\2(?!`)", re.M | re.S
)
_RUNS = re.compile(r"[^\W\d_]+|\d+")
_BETWEEN = r"[\W_]{0,3}"


def prose(answer: str) -> str:
    """Return an answer with its code blanked out, in which nothing is cited; all offsets stay."""
    return _CODE.sub(lambda code: " " * len(code[0]), answer)


def words_pattern(words: str) -> str:
    """Return a pattern that matches whole words, whatever is between them; empty without any.

    Letters and digits count as words of their own, so that `KRW301` matches "KRW 301".
    """
    runs = [re.escape(run) for run in _RUNS.findall(words)]
    return rf"(?<![^\W_]){_BETWEEN.join(runs)}(?![^\W_])" if runs else ""
