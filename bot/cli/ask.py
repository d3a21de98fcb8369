"""The terminal: `loupe ask` runs one real turn on files of this machine, without a store."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bot.domain.messages import Attachment, Author
from bot.domain.question import Question, RequestedFile
from bot.domain.threads import Thread
from bot.errors import FileProblem, Reason
from bot.media.size_limits import check_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.size_limits import SizeLimits

HERE = Thread("terminal", "local", "ask")


class Terminal:
    """Watches a turn: progress on stderr, the answer on stdout as it grows."""

    def __init__(self, *, quiet: bool) -> None:
        """With `quiet` nothing of the answer is printed while it grows."""
        self._quiet = quiet
        self._shown = ""

    def progress(self, text: str) -> None:
        """Print what is being done."""
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def grow(self, text: str) -> None:
        """Print what the answer has grown by."""
        if not self._quiet:
            sys.stdout.write(text[len(self._shown) :])
            sys.stdout.flush()
            self._shown = text

    def finish(self, text: str) -> None:
        """Print the rest of the answer, if there is one."""
        self.grow(text.rstrip())
        if self._shown:
            sys.stdout.write("\n")


async def fetch(file: Attachment, into: Path, allowance: SizeLimits) -> bool:
    """Make `into` a link to a file of this machine, which may be large; raises `FileProblem`."""
    source = Path(file.source["path"])

    def link() -> None:
        try:
            check_file(allowance, source)
            into.symlink_to(source.resolve())
        except OSError as error:
            raise FileProblem(Reason.NOT_FOUND) from error

    await asyncio.to_thread(link)
    return True


def question(paths: Sequence[Path], words: str) -> Question:
    """Put what the command line asks."""
    now = time.time()
    files = tuple(
        RequestedFile(
            Attachment(path.name, source={"path": str(path)}), Author("me"), now, "", fetch
        )
        for path in paths
    )
    return Question("1", HERE, words, "", now, files)
