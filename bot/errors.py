"""Errors that concern users, by name; their sentences are in `bot.strings`."""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeVar

R = TypeVar("R", bound=StrEnum)

_TEMPORARY = frozenset({"busy", "failed", "timed_out", "cut", "unreachable"})
"""Reasons of services and engines that the next attempt may not meet."""


class Reason(StrEnum):
    """Why a file could not be used."""

    TOO_LARGE = "too_large"
    TOO_LARGE_VIDEO = "too_large_video"
    TOO_MANY_PIXELS = "too_many_pixels"
    EMPTY = "empty"
    DAMAGED = "damaged"
    UNSUPPORTED = "unsupported"
    VIDEO_CLIP = "video_clip"
    NO_PICTURE = "no_picture"
    CODEC = "codec"
    TOO_SLOW = "too_slow"
    CRASHED = "crashed"
    EXPIRED = "expired"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    UNREACHABLE = "unreachable"
    REFUSED_ADDRESS = "refused_address"
    NOT_A_FILE = "not_a_file"
    HTML_ONLY = "html_only"
    EXTERNAL = "external"
    HIDDEN = "hidden"
    DELETED = "deleted"
    GONE = "gone"
    TOO_MANY = "too_many"


class FileProblem(Exception):
    """A file that cannot be used; the others of the message can."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type[FileProblem], tuple[Reason, str]]:
        """Pickle it with its detail, for the way back from a child process."""
        return type(self), (self.reason, self.detail)


class ModelReason(StrEnum):
    """Why a model gave no answer, or only a part."""

    FILTERED = "filtered"
    FILTERED_ANSWER = "filtered_answer"
    UNAUTHORIZED = "unauthorized"
    NO_DEPLOYMENT = "no_deployment"
    BUSY = "busy"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CUT = "cut"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    BAD_REQUEST = "bad_request"
    UNREACHABLE = "unreachable"


class _Problem(Exception, Generic[R]):
    """Why a service or engine failed, with a detail for whoever runs Loupe."""

    def __init__(self, reason: R, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail

    @property
    def temporary(self) -> bool:
        """Whether the same request may succeed later."""
        return self.reason in _TEMPORARY


class ModelProblem(_Problem[ModelReason]):
    """A model that did not answer; the user gets exactly one sentence."""


class VisionReason(StrEnum):
    """Why the vision engine could not analyse pictures."""

    UNAUTHORIZED = "unauthorized"
    BUSY = "busy"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    BAD_REQUEST = "bad_request"


class VisionProblem(_Problem[VisionReason]):
    """A vision engine that failed, whatever the picture; the turn goes on without it."""


class StoreDown(Exception):
    """The store failed at a read or a write; the platform has to deliver again."""
