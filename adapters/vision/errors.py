"""Errors of Azure AI Vision as problems of Loupe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)

from bot.errors import FileProblem, Reason, VisionProblem, VisionReason

if TYPE_CHECKING:
    from collections.abc import Iterator

BY_STATUS: dict[int, VisionReason | Reason] = {
    401: VisionReason.UNAUTHORIZED,
    403: VisionReason.UNAUTHORIZED,
    408: VisionReason.TIMED_OUT,
    413: Reason.TOO_LARGE,
    415: Reason.UNSUPPORTED,
    429: VisionReason.BUSY,
}
BY_TYPE: tuple[tuple[type[Exception], VisionReason], ...] = (
    (TimeoutError, VisionReason.TIMED_OUT),
    (ServiceResponseTimeoutError, VisionReason.TIMED_OUT),
    (ServiceRequestError, VisionReason.UNREACHABLE),
    (ServiceResponseError, VisionReason.UNREACHABLE),
    (IncompleteReadError, VisionReason.UNREACHABLE),
    (ClientAuthenticationError, VisionReason.UNAUTHORIZED),
)
REMEDIES = {
    VisionReason.UNAUTHORIZED: "Check VISION_KEY, or that the identity has the role Cognitive "
    "Services User.",
    VisionReason.UNREACHABLE: "Check VISION_ENDPOINT, the network and its proxy.",
    VisionReason.TIMED_OUT: "Check VISION_ENDPOINT, the network and its proxy.",
    VisionReason.BAD_REQUEST: "Check that VISION_ENDPOINT belongs to an Azure AI Vision resource.",
    VisionReason.BUSY: "Check the resource's tier and LOUPE_VISION_RATE.",
}
"""What the operator can do."""

_OF_THE_PICTURE = re.compile(r"invalidimage|unsupportedimage|notsupportedimage|imagesize", re.I)
_OF_CAPTIONS = re.compile(r"caption|notsupportedvisualfeature|\bregion\b|feature\b", re.I)
_OF_EMBEDDINGS = re.compile(r"\bregion\b|feature\b|model.?version", re.I)
_CODE = re.compile(r"[\w.-]{1,60}")


def problem(error: Exception) -> VisionProblem | FileProblem:
    """Return why a request failed."""
    if isinstance(error, VisionProblem | FileProblem):
        return error
    if isinstance(error, HttpResponseError) and error.status_code:
        codes = [text for text in _texts_of(error) if _CODE.fullmatch(text)]
        return _problem_of(
            _reason(error.status_code, codes), " ".join([str(error.status_code), *codes])
        )
    for kind, reason in BY_TYPE:
        if isinstance(error, kind):
            return VisionProblem(reason, type(error.__cause__ or error).__name__)
    return VisionProblem(VisionReason.FAILED, type(error).__name__)


def _problem_of(reason: VisionReason | Reason, detail: str) -> VisionProblem | FileProblem:
    if isinstance(reason, Reason):
        return FileProblem(reason, detail)
    return VisionProblem(reason, detail)


def _reason(status: int, codes: list[str]) -> VisionReason | Reason:
    if status == 400 and any(_OF_THE_PICTURE.search(code) for code in codes):
        return Reason.UNSUPPORTED
    if reason := BY_STATUS.get(status):
        return reason
    return VisionReason.BAD_REQUEST if 300 <= status < 500 else VisionReason.FAILED


def lacks_captions(error: Exception) -> bool:
    """Return whether a request failed because the region has no captions."""
    return _lacks(error, _OF_CAPTIONS)


def lacks_embeddings(error: Exception) -> bool:
    """Return whether a request failed because the region lacks embeddings, or this model."""
    not_found = isinstance(error, HttpResponseError) and error.status_code == 404
    return not_found or _lacks(error, _OF_EMBEDDINGS)


def _lacks(error: Exception, feature: re.Pattern[str]) -> bool:
    """Return whether an error, by its words, refuses a feature and not the picture."""
    if not isinstance(error, HttpResponseError) or error.status_code != 400:
        return False
    texts = list(_texts_of(error))
    of_picture = any(_OF_THE_PICTURE.search(words) for words in texts)
    return not of_picture and any(feature.search(words) for words in texts)


def _texts_of(error: HttpResponseError) -> Iterator[str]:
    """Return the codes and messages of an error body, including the inner ones."""
    if error.error is None:
        return
    inner = error.error.innererror
    fields = inner if isinstance(inner, dict) else {}
    for words in (error.error.code, error.error.message, fields.get("code"), fields.get("message")):
        if isinstance(words, str):
            yield words
