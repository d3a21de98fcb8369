"""What the local page says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.strings.files import why_file

if TYPE_CHECKING:
    from bot.errors import FileProblem
    from bot.limits import FileLimits

PAGE_WRONG_HOST = (
    "Loupe does not answer under this name. Open the address that it printed when it started, "
    "or add the name to LOUPE_PAGE_HOSTS."
)
PAGE_FOREIGN = "This came from another site, so it was not done."
PAGE_SESSION_ENDED = (
    "This page's session has ended. Open the address that Loupe printed when it started."
)
PAGE_STORE_DOWN = "Loupe cannot store anything just now. Please send it again in a moment."
PAGE_MALFORMED = "This cannot be read (field {field}). Please reload the page."
PAGE_TEXT_TOO_LONG = "This message is too long: {limit:,} characters are taken at most."
PAGE_FILE_GONE = "A file of this message is no longer kept. Please attach it again."
PAGE_FILE_STALLED = "It stopped arriving. Please attach it again."
PAGE_FILE_SHORTER = "The file is not that long. Please reload the page."
PAGE_NOT_FOUND = "There is no such page here."


def page_file_refused(problem: FileProblem, limits: FileLimits) -> str:
    """Refuse an upload, with the reason and the remedy."""
    why = why_file(problem, limits)
    return why[0].upper() + why[1:]
