"""The files of a post: which there are, and which cannot be had.

The shapes are those of https://docs.slack.dev/reference/objects/file-object/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.http.json_fields import dig, identifier, name, string
from bot.domain.messages import Attachment
from bot.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_FILES = 1000
"""Files read of one post; people post a few dozen."""

THUMBS = ("thumb_1024", "thumb_960", "thumb_720", "thumb_480", "thumb_360")
"""Slack's own smaller pictures of a photo, largest first."""

PROBLEMS = {
    "external": Reason.EXTERNAL,
    "hidden_by_limit": Reason.HIDDEN,
    "tombstone": Reason.DELETED,
    "file_not_found": Reason.DELETED,
}
"""What `mode`, or `file_access`, tells of bytes that Slack does not hand out."""


def files_of(post: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """List a post's files, and those of the posts that it shares, in order and each once.

    A file of another organisation's channel (Slack Connect) comes as a stub with only its id:
    then `source` has no `url`, and `files.info` knows the rest.
    """
    found: dict[str, Attachment] = {}
    for file in _listed(post):
        found.setdefault(identifier(file.get("id")) or f"#{len(found)}", attachment_of(file))
    return tuple(found.values())


def attachment_of(file: Mapping[str, Any]) -> Attachment:
    """Read one file object, of a post or as `files.info` gives it."""
    shown = name(file.get("name")) or name(file.get("title"))
    declared = name(file.get("mimetype")).lower()
    source = _source(file, declared)
    problem = _problem(file)
    if problem is None and not source["id"] and not source["url"]:
        problem = Reason.NOT_FOUND
    return Attachment(shown, declared, {} if problem else source, problem)


def _listed(post: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    shared = post.get("attachments")
    posts = [post, *(shared if isinstance(shared, list) else ())]
    lists = (dig(one, "files") for one in posts[:MOST_FILES])
    every = [file for files in lists if isinstance(files, list) for file in files]
    return (file for file in every[:MOST_FILES] if isinstance(file, dict))


def _problem(file: Mapping[str, Any]) -> Reason | None:
    if file.get("is_external") is True:
        return Reason.EXTERNAL
    kinds = (string(file.get("mode")), string(file.get("file_access")))
    return next((PROBLEMS[kind] for kind in kinds if kind in PROBLEMS), None)


def _source(file: Mapping[str, Any], declared: str) -> dict[str, Any]:
    """Note how to fetch a file; a still picture of a video would not stand for it."""
    url = string(file.get("url_private_download")) or string(file.get("url_private"))
    still = not declared.startswith("video/")
    thumbs = [string(file.get(size)) for size in THUMBS if still]
    return {"id": identifier(file.get("id")), "url": url, "thumbs": list(filter(None, thumbs))}
