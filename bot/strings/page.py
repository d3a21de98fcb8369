"""The sentences of the local page's server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.strings.files import why_file

if TYPE_CHECKING:
    from bot.errors import FileProblem
    from bot.limits import FileLimits

PAGE_WRONG_HOST = (
    "Loupe does not answer under this host name. Open the link that it printed in the terminal, "
    "or add the name to LOUPE_PAGE_HOSTS and restart Loupe."
)
PAGE_FOREIGN = "This request came from another website, so Loupe did nothing."
PAGE_SESSION_ENDED = "Your session has ended. Open Loupe again with the link from the terminal."
PAGE_STORE_DOWN = "Loupe cannot store anything right now. Please send it again in a moment."
PAGE_MALFORMED = "Loupe could not read this request (field {field}). Please reload the page."
PAGE_TEXT_TOO_LONG = "This message is too long. Please keep it to {limit:,} characters."
PAGE_FILE_GONE = "A file of this message is no longer kept. Please attach it again."
PAGE_FILE_STALLED = "The upload stopped. Please attach the file again."
PAGE_FILE_SHORTER = "The file is not that long. Please reload the page."
PAGE_NOT_FOUND = "There is no such page."


def page_file_refused(problem: FileProblem, limits: FileLimits) -> str:
    """Return why an upload is refused, and the remedy."""
    why = why_file(problem, limits)
    return why[0].upper() + why[1:]
