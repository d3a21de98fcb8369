"""Files of this machine, asked about where they stand."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bot.domain.messages import Attachment, Author
from bot.domain.question import Question, RequestedFile
from bot.domain.threads import TERMINAL, Thread
from bot.errors import FileProblem, Reason
from bot.media.size_limits import check_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.size_limits import SizeLimits

HERE = Thread(TERMINAL, "local", "ask")


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
