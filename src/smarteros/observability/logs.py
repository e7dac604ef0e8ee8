"""Structured logs: one JSON object a line on standard error, traces without the values of variables."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from typing import cast

import structlog
from structlog.typing import EventDict, WrappedLogger

from smarteros.kit.redaction import redact_line


def without_personal_data(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take addresses, RUTs, phones and cards out of every text of a line, an exception's too (structlog processor)."""
    return {name: _redacted(value) for name, value in event.items()}


def _redacted(value: object) -> object:
    if isinstance(value, str):
        return redact_line(value)
    if isinstance(value, (list, tuple)):
        return [_redacted(item) for item in cast("Sequence[object]", value)]
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in cast("Mapping[object, object]", value).items()}
    # Whatever is no plain value is written by its repr, which may quote a customer.
    return value if isinstance(value, (int, float, type(None))) else redact_line(repr(value))


def configure_logs(level: int = logging.WARNING) -> None:
    """Set the log up for this process. Local variables never appear: they hold customers' words and secrets."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            without_personal_data,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
