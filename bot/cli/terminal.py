"""The terminal: progress on stderr, the answer on stdout as it grows."""

from __future__ import annotations

import sys


class Terminal:
    """Shows the progress of a turn."""

    def __init__(self, *, quiet: bool) -> None:
        """With `quiet` nothing of the answer is printed while it grows."""
        self._quiet = quiet
        self._text = ""

    def progress(self, text: str) -> None:
        """Print what is being done."""
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def grow(self, text: str) -> None:
        """Print what the answer has grown by."""
        if not self._quiet:
            sys.stdout.write(text[len(self._text) :])
            sys.stdout.flush()
            self._text = text

    def finish(self, text: str) -> None:
        """Print the rest of the answer, if there is one."""
        self.grow(text.rstrip())
        if self._text:
            sys.stdout.write("\n")
