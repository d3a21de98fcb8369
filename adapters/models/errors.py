"""What went wrong at a model's service, by Loupe's own names.

Services say more in their messages than may be kept (part of the key, words of the user), so a
problem's detail has only the status and codes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import openai
from azure.core.exceptions import AzureError, ClientAuthenticationError

from bot.errors import ModelProblem, ModelReason

if TYPE_CHECKING:
    from collections.abc import Mapping

FILTER_CODES = {
    "content_filter",
    "content_policy_violation",
    "responsibleaipolicyviolation",
    "invalid_prompt",
    "moderation_blocked",
}
NO_MODEL_CODES = {"deploymentnotfound", "model_not_found", "model_not_available"}
LENGTH_CODES = {"context_length_exceeded", "request_too_large", "string_above_max_length"}
BUSY_CODES = {"rate_limit_exceeded", "insufficient_quota", "tokens", "requests", "429"}
BY_CODE = (
    (FILTER_CODES, ModelReason.FILTERED),
    (NO_MODEL_CODES, ModelReason.NO_DEPLOYMENT),
    (LENGTH_CODES, ModelReason.TOO_LONG),
    (BUSY_CODES, ModelReason.BUSY),
)
BY_TYPE: tuple[tuple[type[Exception], ModelReason], ...] = (
    (openai.APITimeoutError, ModelReason.TIMED_OUT),
    (TimeoutError, ModelReason.TIMED_OUT),
    (openai.APIConnectionError, ModelReason.UNREACHABLE),
    (ClientAuthenticationError, ModelReason.UNAUTHORIZED),
    (AzureError, ModelReason.UNREACHABLE),
)
BY_STATUS = {
    401: ModelReason.UNAUTHORIZED,
    403: ModelReason.UNAUTHORIZED,
    408: ModelReason.TIMED_OUT,
    409: ModelReason.FAILED,
    413: ModelReason.TOO_LONG,
    429: ModelReason.BUSY,
}
BY_WORDS = (
    (404, re.compile(r"\b(model|deployment)\b", re.IGNORECASE), ModelReason.NO_DEPLOYMENT),
    (400, re.compile(r"(maximum|max\w*) context length", re.IGNORECASE), ModelReason.TOO_LONG),
)
"""Words of compatible servers that send no code, such as vLLM and Ollama."""

REMEDIES = {
    ModelReason.UNAUTHORIZED: "Check the key, or that the identity has the role "
    "Cognitive Services OpenAI User.",
    ModelReason.NO_DEPLOYMENT: "Check that the service has a model of this name.",
    ModelReason.UNREACHABLE: "Check the endpoint's address, the network and its proxy.",
    ModelReason.TIMED_OUT: "Check the endpoint's address, the network and its proxy.",
    ModelReason.BAD_REQUEST: "Check that the endpoint has a chat completions API.",
    ModelReason.BUSY: "Check the quota of the deployment.",
}
"""What the operator can do."""

_CODE = re.compile(r"[\w.-]{1,60}")


def problem(error: Exception) -> ModelProblem:
    """Return why a request failed; an unknown error counts as a failure of the service."""
    if isinstance(error, ModelProblem):
        return error
    if isinstance(error, openai.APIStatusError):
        return reported_problem(error.body, error.status_code)
    for kind, reason in BY_TYPE:
        if isinstance(error, kind):
            return ModelProblem(reason, type(error.__cause__ or error).__name__)
    if isinstance(error, openai.APIError):
        return reported_problem(error.body)
    return ModelProblem(ModelReason.FAILED, type(error).__name__)


def reported_problem(body: object, status: int = 0) -> ModelProblem:
    """Return the problem that a service reports in the error object of its response.

    `status` is that of HTTP; 0 means that the error came within a stream.
    """
    fields = body if isinstance(body, dict) else {}
    codes = _codes(fields)
    detail = " ".join([*([str(status)] if status else []), *codes, *_filter_categories(fields)])
    return ModelProblem(_reason(codes, status, str(fields.get("message", ""))), detail)


def with_advice(
    trouble: ModelProblem, host: str, model: str, remedies: Mapping[ModelReason, str] = REMEDIES
) -> ModelProblem:
    """Add the host and the model to a problem, and what the operator can do."""
    remedy = remedies.get(trouble.reason, "Try again later.")
    detail = f"{trouble.detail} from {host} for the model {model}. {remedy}"
    return ModelProblem(trouble.reason, detail)


def _reason(codes: list[str], status: int, message: str) -> ModelReason:
    if status in {401, 403}:
        return ModelReason.UNAUTHORIZED
    lower_codes = {code.lower() for code in codes}
    for group, reason in BY_CODE:
        if lower_codes & group:
            return reason
    for number, words, reason in BY_WORDS:
        if status == number and words.search(message):
            return reason
    if reason_by_status := BY_STATUS.get(status):
        return reason_by_status
    return ModelReason.BAD_REQUEST if 400 <= status < 500 else ModelReason.FAILED


def _codes(fields: Mapping[str, Any]) -> list[str]:
    """Return code, inner code, type and parameter, as far as they are plain names."""
    inner = fields.get("innererror")
    inner_code = inner.get("code") if isinstance(inner, dict) else None
    values = (fields.get("code"), inner_code, fields.get("type"), fields.get("param"))
    names = [str(value) for value in values if isinstance(value, str | int) and value != ""]
    return list(dict.fromkeys(name for name in names if _CODE.fullmatch(name)))


def _filter_categories(fields: Mapping[str, Any]) -> list[str]:
    """Return the categories that a content filter objected to."""
    inner = fields.get("innererror")
    results = inner.get("content_filter_result") if isinstance(inner, dict) else None
    if not isinstance(results, dict):
        return []
    return [
        name
        for name, result in results.items()
        if isinstance(result, dict) and result.get("filtered") and _CODE.fullmatch(name)
    ]
