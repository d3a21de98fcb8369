"""The attachments of an activity, and with which credential each may be fetched."""

from __future__ import annotations

import base64
import re
from mimetypes import guess_type
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from adapters.http.json_fields import dig, name, string
from adapters.http.urls import origin
from adapters.teams.hosts import is_known_connector
from adapters.teams.html import HtmlSummary, is_emoji
from adapters.teams.schema import MAX_ITEMS
from bot.domain.messages import Attachment
from bot.errors import Reason

if TYPE_CHECKING:
    from botbuilder.schema import Activity

DOWNLOAD_INFO = "application/vnd.microsoft.teams.file.download.info"
"""A file in a personal chat, with a URL that needs no credential for a few minutes.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bots-filesv4
"""

_SHOWS_FILES = re.compile(r"<(?:img|video|attachment|blockquote)\b", re.IGNORECASE)
_CARDS = ("application/vnd.microsoft.card.", "application/vnd.microsoft.teams.card.")


def html_summary(activity: Activity) -> HtmlSummary:
    """Return a summary of the `text/html` attachments, which repeat the message and are not files.

    Those that only have text, as most do, are not parsed: that would take longer than all else in
    a delivery.
    """
    parts = [string(one.content) for one in activity.attachments if _is_html_copy(one)]
    return HtmlSummary("\n".join(part for part in parts if _SHOWS_FILES.search(part)))


def files(
    activity: Activity, html: HtmlSummary, *, in_shared_place: bool
) -> tuple[Attachment, ...]:
    """Return the attachments in order, and after them, as problems, those that only the HTML shows.

    In shared places (channels and group chats) Teams does not give attached files, and sometimes
    not even pasted pictures, to bots: they appear only in the HTML.
    """
    attached_files = [file for one in activity.attachments if (file := _file(one, activity))]
    clips = [Attachment(problem=Reason.VIDEO_CLIP)] * html.clips
    count = _html_only_count(activity, html, len(attached_files)) if in_shared_place else 0
    html_only = [Attachment(problem=Reason.HTML_ONLY)] * count
    return (*attached_files, *clips, *html_only)[:MAX_ITEMS]


def _content_type(one: Any) -> str:
    return (one.content_type or "").partition(";")[0].strip().lower()


def _is_html_copy(one: Any) -> bool:
    return _content_type(one) == "text/html" and not one.content_url


def _file(one: Any, activity: Activity) -> Attachment | None:
    """Return a file; None for an attachment that is not a file."""
    url = one.content_url or ""
    if _content_type(one) == DOWNLOAD_INFO:
        return _download_info_file(one)
    if not url or _content_type(one).startswith(_CARDS) or is_emoji(url):
        return None
    if url[:5].lower() == "data:":
        return _data_uri_file(one, url)
    source = {"url": url, "credential": _credential(url, activity)}
    return Attachment(name(one.name), _content_type(one), source)


def _download_info_file(one: Any) -> Attachment:
    url = string(dig(one.content, "downloadUrl"))
    extension = string(dig(one.content, "fileType"))[:20]
    media_type = guess_type(f"x.{extension}")[0] or ""
    if not url:
        return Attachment(name(one.name), media_type, problem=Reason.NOT_FOUND)
    return Attachment(name(one.name), media_type, {"url": url, "credential": "none"})


def _data_uri_file(one: Any, url: str) -> Attachment:
    """Return the file in a data URI (RFC 2397), with its bytes in base64."""
    header, _, data = url[5:].partition(",")
    media_type, *options = [part.strip().lower() for part in header.split(";")]
    if "base64" not in options:
        data = base64.b64encode(unquote_to_bytes(data)).decode()
    return Attachment(name(one.name), _content_type(one) or media_type, {"data": data})


def _credential(url: str, activity: Activity) -> str:
    """Return `bot` for URLs of the sender's or Microsoft's connectors, else `none`.

    `bot` stands for the bot's token.
    """
    sender = origin(activity.service_url or "")
    return "bot" if is_known_connector(url) or (sender and origin(url) == sender) else "none"


def _html_only_count(activity: Activity, html: HtmlSummary, file_count: int) -> int:
    """Return how many pictures and files the HTML shows beyond the `file_count` attached ones."""
    ids = {string(one.additional_properties.get("id")) for one in activity.attachments} - {""}
    html_count = html.pictures + sum(file not in ids for file in html.files)
    return max(0, html_count - file_count)
