"""Logs: readable in a terminal, JSON lines elsewhere, and never a secret or a picture in them."""

from __future__ import annotations

import copy
import logging
import sys
from typing import TYPE_CHECKING, TextIO

import structlog

from bot.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from structlog.typing import Processor


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Formats the lines of libraries like those of Loupe."""

    def __init__(
        self, redactor: Redactor, processors: list[Processor], renderer: Processor
    ) -> None:
        meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
        super().__init__(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *processors],
            processors=[meta, renderer],
        )
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        record = copy.copy(record)
        record.args = self._redactor.arguments(record.args)
        return super().format(record)


def configure(
    level: str = "info",
    *,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
    terminal: bool | None = None,
) -> None:
    """Set up Loupe's logs from `level` up, and those of libraries from `warning` up.

    `secrets` are values that are hidden wherever they appear. Lines go to `stream` (standard
    error): readable in a terminal, else one JSON object each.
    """
    stream = stream or sys.stderr
    redactor = Redactor(secrets)
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        redactor,
    ]
    renderer = _renderer(stream.isatty() if terminal is None else terminal, stream)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level.lower()),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Formatter(redactor, processors, renderer))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _renderer(terminal: bool, stream: TextIO) -> Processor:
    if not terminal:
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(
        timestamp_key="at",
        colors=stream.isatty(),
        exception_formatter=structlog.dev.plain_traceback,
    )
