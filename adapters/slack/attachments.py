"""Attachments from the files of a post, with the reason if one cannot be fetched.

The format of a file is described at https://docs.slack.dev/reference/objects/file-object/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.http.json_fields import dig, identifier, name, string
from bot.domain.messages import Attachment
from bot.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_FILES = 1000
"""Most files that are read from one post; people post a few dozen."""

THUMBS = ("thumb_1024", "thumb_960", "thumb_720", "thumb_480", "thumb_360")
"""The fields with smaller copies of a photo that Slack made, largest first."""

PROBLEMS = {
    "external": Reason.EXTERNAL,
    "hidden_by_limit": Reason.HIDDEN,
    "tombstone": Reason.DELETED,
    "file_not_found": Reason.DELETED,
}
"""The values of `mode` and `file_access` of files whose bytes Slack does not deliver."""


def files_of(post: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """Return the files of a post and of the posts that it shares, in order, each once.

    A file from a channel of another organisation (Slack Connect) arrives as a stub with only its
    id: then its `source` has no `url`, and `files.info` returns the rest.
    """
    files: dict[str, Attachment] = {}
    for file in _file_objects(post):
        files.setdefault(identifier(file.get("id")) or f"#{len(files)}", attachment_of(file))
    return tuple(files.values())


def attachment_of(file: Mapping[str, Any]) -> Attachment:
    """Return a file object, from a post or from `files.info`, as an attachment."""
    title = name(file.get("name")) or name(file.get("title"))
    media_type = name(file.get("mimetype")).lower()
    source = _source(file, media_type)
    problem = _problem(file)
    if problem is None and not source["id"] and not source["url"]:
        problem = Reason.NOT_FOUND
    return Attachment(title, media_type, {} if problem else source, problem)


def _file_objects(post: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    quotes = post.get("attachments")
    posts = [post, *(quotes if isinstance(quotes, list) else ())]
    lists = (dig(one, "files") for one in posts[:MOST_FILES])
    every = [file for files in lists if isinstance(files, list) for file in files]
    return (file for file in every[:MOST_FILES] if isinstance(file, dict))


def _problem(file: Mapping[str, Any]) -> Reason | None:
    if file.get("is_external") is True:
        return Reason.EXTERNAL
    kinds = (string(file.get("mode")), string(file.get("file_access")))
    return next((PROBLEMS[kind] for kind in kinds if kind in PROBLEMS), None)


def _source(file: Mapping[str, Any], media_type: str) -> dict[str, Any]:
    """Return how to fetch a file; a video has no smaller copies, only still pictures."""
    url = string(file.get("url_private_download")) or string(file.get("url_private"))
    is_video = media_type.startswith("video/")
    thumbs = [] if is_video else [string(file.get(size)) for size in THUMBS]
    return {"id": identifier(file.get("id")), "url": url, "thumbs": list(filter(None, thumbs))}
