"""Opens the store of pictures that is configured."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

from adapters.blobs.store import BlobStore
from bot.settings import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.blobs.settings import MediaSettings


def open_blobs(settings: MediaSettings, data: Path) -> BlobStore:
    """Open the object store of the settings, or the folder `media` of the data folder.

    Credentials come from where each cloud's tools look for them (`AZURE_STORAGE_ACCOUNT_NAME`,
    `AWS_ACCESS_KEY_ID`, …). Raises `SettingsError` when one that is needed is missing,
    or the folder cannot be used.
    """
    if settings.url is None:
        return BlobStore(_folder(data / "media"))
    limit = timedelta(seconds=settings.seconds)
    try:
        store = from_url(
            settings.url.get_secret_value(),
            client_options={"timeout": limit, "connect_timeout": timedelta(seconds=5)},
            retry_config={"max_retries": 3, "retry_timeout": limit},
        )
    except (BaseError, ValueError) as error:
        raise SettingsError(f"LOUPE_MEDIA_URL cannot be used: {_first_line(error)}.") from None
    return BlobStore(store)


def _folder(path: Path) -> LocalStore:
    try:
        return LocalStore(path, mkdir=True, automatic_cleanup=True)
    except (BaseError, OSError) as error:
        raise SettingsError(f"The folder {path} cannot be used: {_first_line(error)}.") from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
