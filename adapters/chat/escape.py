"""Text that does nothing where it is shown: no mention, no tag, no picture from elsewhere."""

from __future__ import annotations

JOINER = "\u2060"
"""A character without width (WORD JOINER): it parts signs, and the text looks the same."""


def disarmed(text: str) -> str:
    """Part every `<` from what follows it, and every `![`; looks only back.

    A text that grows, grows when it is disarmed too.
    """
    return text.replace("<", f"<{JOINER}").replace("![", f"!{JOINER}[")
