"""The files of an activity: which there are, and which credential may fetch them."""

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
from adapters.teams.schema import MOST_LISTED
from bot.domain.messages import Attachment
from bot.errors import Reason

if TYPE_CHECKING:
    from botbuilder.schema import Activity

DOWNLOAD = "application/vnd.microsoft.teams.file.download.info"
"""A file in a personal chat, with an address that needs no credential for a few minutes.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/bots-filesv4
"""

_SHOWS = re.compile(r"<(?:img|video|attachment|blockquote)\b", re.IGNORECASE)
_CARDS = ("application/vnd.microsoft.card.", "application/vnd.microsoft.teams.card.")


def html_of(activity: Activity) -> HtmlSummary:
    """Read the `text/html` attachments, which repeat the message and are no files.

    Most show nothing but the words, and parsing those would be the dearest part of a delivery.
    """
    parts = [string(one.content) for one in activity.attachments if _is_twin(one)]
    return HtmlSummary("\n".join(part for part in parts if _SHOWS.search(part)))


def files(activity: Activity, html: HtmlSummary, *, in_company: bool) -> tuple[Attachment, ...]:
    """List what was attached, in order; what only the HTML shows comes last, as problems.

    In company (a channel or a group chat) Teams keeps attached files, and sometimes pasted
    pictures, from bots: only the HTML tells of them.
    """
    found = [file for one in activity.attachments if (file := _file(one, activity))]
    clips = [Attachment(problem=Reason.VIDEO_CLIP)] * html.clips
    hidden = [Attachment(problem=Reason.HTML_ONLY)] * _hidden(activity, html, found)
    return (*found, *clips, *(hidden if in_company else ()))[:MOST_LISTED]


def _kind(one: Any) -> str:
    return (one.content_type or "").partition(";")[0].strip().lower()


def _is_twin(one: Any) -> bool:
    return _kind(one) == "text/html" and not one.content_url


def _file(one: Any, activity: Activity) -> Attachment | None:
    """Read one attachment; None for what is no file."""
    url = one.content_url or ""
    if _kind(one) == DOWNLOAD:
        return _download(one)
    if not url or _kind(one).startswith(_CARDS) or is_emoji(url):
        return None
    if url[:5].lower() == "data:":
        return _inline(one, url)
    source = {"url": url, "credential": _credential(url, activity)}
    return Attachment(name(one.name), _kind(one), source)


def _download(one: Any) -> Attachment:
    url = string(dig(one.content, "downloadUrl"))
    ending = string(dig(one.content, "fileType"))[:20]
    declared = guess_type(f"x.{ending}")[0] or ""
    if not url:
        return Attachment(name(one.name), declared, problem=Reason.NOT_FOUND)
    return Attachment(name(one.name), declared, {"url": url, "credential": "none"})


def _inline(one: Any, url: str) -> Attachment:
    """Read a data URI (RFC 2397); its bytes travel in base64."""
    about, _, data = url[5:].partition(",")
    declared, *options = [part.strip().lower() for part in about.split(";")]
    if "base64" not in options:
        data = base64.b64encode(unquote_to_bytes(data)).decode()
    return Attachment(name(one.name), _kind(one) or declared, {"data": data})


def _credential(url: str, activity: Activity) -> str:
    """Only the connector that sent the message, or one of Microsoft's, may see the bot's token."""
    home = origin(activity.service_url or "")
    return "bot" if is_known_connector(url) or (home and origin(url) == home) else "none"


def _hidden(activity: Activity, html: HtmlSummary, found: list[Attachment]) -> int:
    """Count the pictures and files that the HTML shows and the attachments lack."""
    named = {string(one.additional_properties.get("id")) for one in activity.attachments} - {""}
    shown = html.pictures + sum(file not in named for file in html.files)
    return max(0, shown - len(found))
