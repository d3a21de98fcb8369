"""Escapes text so that it has no effect where it is shown: no mention, tag or external picture."""

from __future__ import annotations

JOINER = "\u2060"
"""WORD JOINER, a character without width: it separates characters, and the text looks the same."""


def disarm(text: str) -> str:
    """Separate every `<` from what follows it, and `!` from `[`.

    A longer text begins with the same characters as before, so that it can go on growing.
    """
    return text.replace("<", f"<{JOINER}").replace("![", f"!{JOINER}[")
