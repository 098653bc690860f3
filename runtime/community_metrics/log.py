"""Logging: structlog and the standard library through one formatter, one line for each event.

Lines go to standard error: coloured on a terminal, JSON elsewhere, unless `CM_LOG_FORMAT` is set. Every
secret of the settings is redacted in every line, including tracebacks and the lines of libraries.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog

from community_metrics.text import several_lines

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

    from community_metrics.config import Settings

NOTHING = logging.CRITICAL + 1
"""The level above every line."""
REDACTED = "**********"
# libraries that log at INFO what belongs to DEBUG here
_VERBOSE_LIBRARIES = ("httpx", "httpcore", "botocore", "boto3", "urllib3", "asyncio", "filelock")


def configure(settings: Settings, *, is_terminal: bool, least: int = logging.DEBUG) -> None:
    """Send all log lines of this process to standard error; a second call replaces the first.

    Lines below the level `least` are dropped, unless `CM_LOG_LEVEL` is `DEBUG`.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = _StandardError()
    handler.setFormatter(_formatter(settings, shared, is_terminal=is_terminal))
    chosen = logging.getLevelNamesMapping()[settings.log_level]
    level = chosen if chosen == logging.DEBUG else max(chosen, least)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _VERBOSE_LIBRARIES:
        logging.getLogger(name).setLevel(level if level == logging.DEBUG else max(level, logging.WARNING))


def _formatter(
    settings: Settings, shared: list[Processor], *, is_terminal: bool
) -> structlog.stdlib.ProcessorFormatter:
    log_format = settings.log_format or ("console" if is_terminal else "json")
    rendering: list[Processor] = (
        [
            structlog.processors.format_exc_info,
            _without_controls,
            structlog.dev.ConsoleRenderer(
                colors=is_terminal, exception_formatter=structlog.dev.plain_traceback
            ),
        ]
        if log_format == "console"
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *rendering,
            _redactor(settings),
        ],
    )


def _without_controls(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Escape control characters: a traceback may hold a registry's text. JSON escapes them by itself."""
    return {name: several_lines(value) if type(value) is str else value for name, value in event.items()}


def _redactor(settings: Settings) -> Processor:
    """Return the last processor: it redacts secrets in a line, as they are and as JSON escapes them."""
    secrets = settings.secret_texts
    secrets += [
        value for name, value in settings.aws_storage_options.items() if "secret" in name or "token" in name
    ]
    forms = {form for secret in secrets if secret for form in (secret, json.dumps(secret)[1:-1])}
    longest_first = sorted(forms, key=len, reverse=True)

    def redact(_logger: WrappedLogger, _name: str, line: str | EventDict) -> Any:
        text = str(line)
        for form in longest_first:
            text = text.replace(form, REDACTED)
        return text

    return redact


class _StandardError(logging.Handler):
    """Writes to the current `sys.stderr`, because a progress display replaces it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write and flush one line; an error while logging never ends the program."""
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001  the contract of logging handlers
            self.handleError(record)
