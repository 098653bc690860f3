"""Logging: structlog and the standard library through one formatter, one line for each event.

Lines go to standard error. A person at a terminal reads coloured lines, journald reads JSON;
`CM_LOG_FORMAT` decides otherwise. Secrets of the settings are struck out of every finished line,
tracebacks included, whoever logged them.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog
from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from structlog.typing import EventDict, Processor, WrappedLogger

    from community_metrics.config import Settings

STRUCK_OUT = "**********"
CHATTY = ("httpx", "httpcore", "botocore", "boto3", "urllib3", "asyncio", "filelock")
"""Libraries whose information is our debugging."""


def configure(settings: Settings, *, is_terminal: bool, quiet: bool = False) -> None:
    """Route all logging of this process; a second call replaces the first.

    `quiet` keeps back what is only information, for when a display shows it already.
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
    level = logging.getLevelNamesMapping()[settings.log_level]
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING) if quiet and level > logging.DEBUG else level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING) if level > logging.DEBUG else level)


def _formatter(
    settings: Settings, shared: list[Processor], *, is_terminal: bool
) -> structlog.stdlib.ProcessorFormatter:
    wanted = settings.log_format or ("console" if is_terminal else "json")
    rendering: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=is_terminal, exception_formatter=structlog.dev.plain_traceback)]
        if wanted == "console"
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *rendering,
            _StrikeOut(_secrets(settings)),
        ],
    )


def _secrets(settings: Settings) -> list[str]:
    values = [getattr(settings, name) for name in type(settings).model_fields]
    secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    secrets += [
        value for name, value in settings.aws_storage_options.items() if "secret" in name or "token" in name
    ]
    return [secret for secret in secrets if secret]


class _StrikeOut:
    """The last processor: strikes secrets out of the line, as they are and as JSON writes them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in (secret, json.dumps(secret)[1:-1])}
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, _logger: WrappedLogger, _name: str, line: str | EventDict) -> Any:
        text = str(line)
        for form in self._forms:
            text = text.replace(form, STRUCK_OUT)
        return text


class _StandardError(logging.Handler):
    """Writes to what standard error is at that moment: a progress display puts itself in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line at once; a failure to log never ends the program."""
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001  the contract of logging handlers
            self.handleError(record)
