"""What the local page says."""

from __future__ import annotations

from bot.texts.wording import size

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
PAGE_NOT_FOUND = "There is no such page here."


def page_file_too_large(limit: int) -> str:
    """Refuse an upload that is larger than the page takes."""
    return f"It is larger than {size(limit)}. Please send a smaller copy."
