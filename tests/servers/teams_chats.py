"""What a Teams client shows of a bot's posts, and the rules by which Teams accepts them.

The rules of streams are those of https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux
"""

from __future__ import annotations

import base64
import re
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from itertools import count
from typing import Any

MAX_BYTES = 100_000
MAX_PICTURE = 2**20
MAX_CITATIONS, MAX_NAME, MAX_ABSTRACT = 20, 80, 160
DATA = re.compile(r"data:(image/(?:jpeg|png|gif));base64,([A-Za-z0-9+/]+=*)")
RATES = ((7, 1.0), (8, 2.0), (60, 30.0))
NOT_ALLOWED = "ContentStreamNotAllowed"
OUT_OF_ORDER = "ContentStreamSequenceOrderPreConditionFailed"
TYPES = {"informative", "streaming", "final"}
ROOT = "https://schema.org/Message"


class Reject(Exception):
    """The response to a request is an error."""

    def __init__(self, status: int, code: str, message: str = "", retry_after: str = "") -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.body = {"error": {"code": code, "message": message or code}}
        self.headers = {"Retry-After": retry_after} if retry_after else {}


@dataclass
class Stream:
    """The stream of a message; times are in seconds of the monotonic clock."""

    opened_at: float
    last: float
    sequence: int = 1
    state: str = "running"


@dataclass
class TeamsMessage:
    """A message of the bot.

    `texts` are all its texts so far, `informative` the placeholders before them, and `activity` the
    last one that changed it.
    """

    id: str
    activity: dict[str, Any]
    texts: list[str] = field(default_factory=list)
    informative: list[str] = field(default_factory=list)
    stream: Stream | None = None
    is_deleted: bool = False

    @property
    def text(self) -> str:
        """The current text, or else the placeholder."""
        return (self.texts or self.informative or [""])[-1]

    @property
    def streaming(self) -> bool:
        return self.stream is not None and self.stream.state == "running"

    @property
    def cards(self) -> list[dict[str, Any]]:
        return self.activity.get("attachments") or []

    @property
    def pictures(self) -> list[bytes]:
        """The bytes of its pictures."""
        return [data for card in self.cards if (data := _picture(card))]

    @property
    def has_ai_label(self) -> bool:
        """Whether it has the AI-generated label."""
        return any("AIGeneratedContent" in one.get("additionalType", []) for one in self.roots)

    @property
    def citations(self) -> dict[int, str]:
        """The names of its citations by number."""
        claims = [claim for root in self.roots for claim in root.get("citation", [])]
        return {claim["position"]: claim["appearance"]["name"] for claim in claims}

    @property
    def roots(self) -> list[dict[str, Any]]:
        return [one for one in self.activity.get("entities") or [] if one.get("type") == ROOT]


class Chats:
    """All conversations; the id of a personal chat begins with `a:`.

    Pictures of more than `picture_bytes` are refused.
    """

    def __init__(
        self, stream_seconds: float, *, strict_rate: bool, picture_bytes: int = MAX_PICTURE
    ) -> None:
        self.picture_bytes = picture_bytes
        self.stream_seconds = stream_seconds
        self.strict_rate = strict_rate
        self.messages: defaultdict[str, list[TeamsMessage]] = defaultdict(list)
        self.typing: defaultdict[str, int] = defaultdict(int)
        self._times: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=100))
        self._ids = count(int(time.time() * 1000))

    def post(self, conversation: str, activity: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self._check(conversation, activity)
        info = _streaminfo(activity)
        if info is not None:
            return self._stream(conversation, activity, info)
        if activity.get("type") == "typing":
            self.typing[conversation] += 1
            return 200, {}
        if not activity.get("text") and not activity.get("attachments"):
            raise Reject(400, "BadSyntax", "Activity has no content")
        return 201, {"id": self._new(conversation, activity, activity.get("text", "")).id}

    def edit(self, conversation: str, message_id: str, activity: dict[str, Any]) -> dict[str, Any]:
        self._check(conversation, activity)
        if _streaminfo(activity) is not None:
            raise Reject(400, "BadArgument", "An edit carries no streaminfo")
        message = self.find(conversation, message_id)
        message.activity = activity
        message.texts.append(activity.get("text", ""))
        if message.streaming and message.stream:
            message.stream.state = "final"
        return {"id": message_id}

    def delete(self, conversation: str, message_id: str) -> None:
        self.find(conversation, message_id).is_deleted = True

    def find(self, conversation: str, message_id: str) -> TeamsMessage:
        for message in self.messages[conversation]:
            if message.id == message_id and not message.is_deleted:
                return message
        raise Reject(404, "ActivityNotFoundInConversation")

    def cancel(self, conversation: str) -> None:
        """Press Stop on the message that is growing in a chat."""
        for message in self.messages[conversation]:
            if message.streaming and message.stream:
                message.stream.state = "cancelled"

    def _new(self, conversation: str, activity: dict[str, Any], text: str = "") -> TeamsMessage:
        message = TeamsMessage(str(next(self._ids)), activity, [text] if text else [])
        self.messages[conversation].append(message)
        return message

    def _check(self, conversation: str, activity: dict[str, Any]) -> None:
        roots = [one for one in activity.get("entities") or [] if one.get("type") == ROOT]
        if len(roots) > 1:
            raise Reject(400, "BadArgument", "More than one root entity")
        for root in roots:
            _check_citations(root.get("citation", []))
        for card in activity.get("attachments") or []:
            if len(_picture(card)) > self.picture_bytes:
                raise Reject(413, "MessageSizeTooBig", "Message size too large")
        if len(str(activity.get("text", "")).encode("utf-16-le")) > MAX_BYTES:
            raise Reject(413, "MessageSizeTooBig", "Message size too large")
        now, times = time.monotonic(), self._times[conversation]
        if self.strict_rate and any(
            len(times) >= most and now - times[-most] < window for most, window in RATES
        ):
            raise Reject(429, "TooManyRequests", "API calls quota exceeded", "1")
        times.append(now)

    def _stream(
        self, conversation: str, activity: dict[str, Any], info: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        kind = info.get("streamType")
        if not conversation.startswith("a:"):
            raise Reject(405, "BadArgument", "Streaming API is not enabled for non personal scope")
        if kind not in TYPES or (kind == "final") == ("streamSequence" in info):
            raise Reject(400, "BadArgument", "streamType or streamSequence")
        if (activity["type"] == "message") != (kind == "final"):
            raise Reject(400, "BadArgument", "type")
        if "streamId" not in info:
            return self._open(conversation, activity, info)
        return self._grow(self.find(conversation, info["streamId"]), activity, info)

    def _open(
        self, conversation: str, activity: dict[str, Any], info: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        if info["streamType"] != "informative" or info["streamSequence"] != 1:
            raise Reject(400, "BadArgument", "A stream begins with informative chunk 1")
        if any(message.streaming for message in self.messages[conversation]):
            raise Reject(403, NOT_ALLOWED, "Content stream is not allowed")
        message = self._new(conversation, activity)
        message.stream = Stream(time.monotonic(), time.monotonic())
        message.informative.append(_informative(activity))
        return 201, {"id": message.id}

    def _grow(
        self, message: TeamsMessage, activity: dict[str, Any], info: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        stream, kind = message.stream, info["streamType"]
        if stream is None:
            raise Reject(403, NOT_ALLOWED, "Content stream is not allowed")
        self._check_stream(stream)
        if kind != "final":
            if info["streamSequence"] <= stream.sequence:
                raise Reject(202, OUT_OF_ORDER, "PreCondition failed")
            stream.sequence = info["streamSequence"]
        if kind == "informative":
            if message.texts:
                raise Reject(403, NOT_ALLOWED, "Content stream is not allowed")
            message.informative.append(_informative(activity))
            return 202, {}
        text = activity.get("text", "")
        if not text or (message.texts and message.texts[-1] not in text):
            raise Reject(403, NOT_ALLOWED, "Content stream is not allowed: streamed text is gone")
        message.texts.append(text)
        message.activity = activity
        if kind == "final":
            stream.state = "final"
        return 202, {}

    def _check_stream(self, stream: Stream) -> None:
        now = time.monotonic()
        if stream.state == "cancelled":
            raise Reject(403, NOT_ALLOWED, "Content stream was canceled by user.")
        if stream.state == "final":
            message = "Content stream is not allowed on an already completed streamed message"
            raise Reject(403, NOT_ALLOWED, message)
        if now - stream.opened_at > self.stream_seconds:
            stream.state = "final"
            message = "Content stream finished due to exceeded streaming time."
            raise Reject(403, NOT_ALLOWED, message)
        if self.strict_rate and now - stream.last < 1.0:
            raise Reject(429, "TooManyRequests", "API calls quota exceeded", "1")
        stream.last = now


def _picture(card: dict[str, Any]) -> bytes:
    """Return the bytes of an inline picture; empty for other attachments."""
    if not str(card.get("contentType", "")).startswith("image/"):
        return b""
    match = DATA.fullmatch(card.get("contentUrl", ""))
    if not match or match[1] != card["contentType"] or not card.get("name"):
        raise Reject(400, "BadArgument", "Not a picture")
    return base64.b64decode(match[2], validate=True)


def _check_citations(claims: list[dict[str, Any]]) -> None:
    appearances = [claim["appearance"] for claim in claims]
    numbers = {claim["position"] for claim in claims}
    well = all(
        0 < len(one["name"]) <= MAX_NAME and 0 < len(one["abstract"]) <= MAX_ABSTRACT
        for one in appearances
    )
    if not well or len(numbers) < len(claims) or len(claims) > MAX_CITATIONS:
        raise Reject(400, "BadArgument", "Citations")


def _streaminfo(activity: dict[str, Any]) -> dict[str, Any] | None:
    entities = activity.get("entities") or []
    return next((one for one in entities if one.get("type") == "streaminfo"), None)


def _informative(activity: dict[str, Any]) -> str:
    text = str(activity.get("text", ""))
    if not 0 < len(text) <= 1000:
        raise Reject(403, NOT_ALLOWED, "Message size too large")
    return text
