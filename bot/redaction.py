"""What must not be in a log: secrets, signed addresses and the bytes of pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from math import isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretBytes, SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import BaseModel
    from structlog.typing import EventDict, WrappedLogger

HIDDEN = "(hidden)"
MAX_TEXT = 8_000
"""Characters of one value at most."""
MAX_DEPTH = 6
"""Levels of nested values that are kept apart; deeper ones become text."""

SECRET_NAME = re.compile(
    r"(?i)(^|[_.-])(authorization|password|passwd|secret|token|cookie|credentials?|api[_-]?key)$"
)

PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bdata:(?:[\w.+-]+/[\w.+-]+)?(?:;[\w.+=-]+)*,[^\s\"']*"), "(data URI)"),
    (re.compile(r"\bb(['\"])(?:\\.|(?!\1).){32,}(?:\1|$)"), "(bytes)"),
    (re.compile(r"(?i)(://)[^/\s@\"']+@"), rf"\1{HIDDEN}@"),
    (
        re.compile(r"(?i)(\bauthorization[\"']?\s*[:=]\s*[\"']?)(?:\w+\s+)?[^\s\"',}]+"),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)(\bbearer\s+)[\w.~+/=-]{6,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(\bBasic\s+)[\w+/=-]{12,}"), rf"\1{HIDDEN}"),
    (re.compile(r"\bxox[a-z](?:\.xox[a-z])?-[\w-]+|\bxapp-[\w-]+|\bsk-[\w-]{16,}"), HIDDEN),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.?[\w-]*"), HIDDEN),
    (
        re.compile(
            r"(?i)\b((?:x-amz-)?(?:sig|signature|tempauth|(?:access_|id_|refresh_|security-)?token"
            r"|client_secret|client_assertion|password|api[_-]?key|subscription-key|credential)"
            r"=)[^\s&#\"'<>]+"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"[\w+/-]{200,}={0,2}"), "(base64)"),
)
"""What reveals a secret or a picture in any text, and its replacement."""

USER = re.compile(r"(?<=://)\S*@|(?<![^\s'\"])[^\s'\"/]+:(?!//)\S*@")
"""The user and password of an address, with or without its scheme."""

HARMLESS = re.compile(r"\w{0,64}")
"""What no pattern can match, such as most values of a log line: one short word."""


def secrets_of(*sections: BaseModel) -> Iterator[str]:
    """Yield the secrets among settings, and the passwords in those that are addresses."""
    for section in sections:
        for _, value in section:
            if isinstance(value, SecretStr):
                yield value.get_secret_value()
                yield from _credentials(value.get_secret_value())
            elif isinstance(value, str):
                yield from _credentials(value)


def _credentials(address: str) -> set[str]:
    """Return the password of an address, or its user if there is only that."""
    if "://" not in address:
        return set()
    try:
        parts = urlsplit(address)
    except ValueError:
        return set()
    secret = parts.password or parts.username or ""
    return {secret, unquote(secret)} if secret else set()


def without_user(text: str) -> str:
    """Return the text with user and password of each address in it hidden."""
    return USER.sub(f"{HIDDEN}@", text)


class Redactor:
    """Makes a log line safe: hides secrets by name, by form, and those known by value."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        values = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, values))) if values else None

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Redact as a structlog processor does: every value of a line."""
        return {name: self.value(value, name) for name, value in event.items()}

    def value(self, value: Any, name: str = "", depth: int = 0) -> Any:
        """Return the value as text, number, list or dict without anything secret."""
        if (
            value is None
            or isinstance(value, int)
            or (isinstance(value, float) and isfinite(value))
        ):
            return value
        if isinstance(value, (SecretStr, SecretBytes)) or SECRET_NAME.search(name):
            return HIDDEN
        if isinstance(value, (bytes, bytearray, memoryview)):
            return f"({len(value)} bytes)"
        if isinstance(value, (Mapping, list, tuple, Set)) and depth < MAX_DEPTH:
            return self._each(value, depth + 1)
        return self.text(_as_text(value))

    def _each(self, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping):
            return {
                self.text(_as_text(name)): self.value(item, str(name), depth)
                for name, item in value.items()
            }
        return [self.value(item, "", depth) for item in value]

    def text(self, text: str) -> str:
        """Return the text with secrets and pictures replaced, cut at `MAX_TEXT`."""
        if self._secrets:
            text = self._secrets.sub(HIDDEN, text)
        if HARMLESS.fullmatch(text):
            return text
        for pattern, replacement in PATTERNS:
            text = pattern.sub(replacement, text)
        if len(text) > MAX_TEXT:
            text = f"{text[:MAX_TEXT]}… ({len(text) - MAX_TEXT} more characters)"
        return text

    def arguments(self, args: Any) -> Any:
        """Redact the arguments of a stdlib log call; numbers keep their type, as `%d` needs it."""
        if isinstance(args, tuple):
            return tuple(map(self._argument, args))
        return {name: self._argument(item) for name, item in args.items()} if args else args

    def _argument(self, value: Any) -> Any:
        may_hold_text = (str, bytes, bytearray, memoryview, Mapping, list, tuple, Set)
        return self.value(value) if isinstance(value, may_hold_text) else value


def _as_text(value: Any) -> str:
    try:
        return str(value)
    except Exception:
        # A log line never breaks the work that it reports on.
        return f"(unprintable {type(value).__name__})"
