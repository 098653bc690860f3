"""The one line that each request leaves in the log, and its two forms.

The JSON form is written here and not by structlog over the standard library: that way costs 110 µs a line, as
much as all the rest of an answer from memory. Its fields are those of every other line of `log`.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from community_metrics.config import Settings

LOGGER: Final = "community_metrics.api"
_quoted: Final = json.JSONEncoder().encode
_log = structlog.get_logger(LOGGER)


class RequestLine(NamedTuple):
    """What is said of one request: no query, no header, no address of a person.

    `status` is 0 when the caller hung up before an answer; `cache` is what the cache did for it.
    """

    request_id: str
    method: str
    path: str
    status: int
    ms: float
    cache: str


def through_structlog(line: RequestLine, _at: datetime) -> None:
    """Hand the line to whatever logging is set up."""
    _log.info("request", **line._asdict())


def as_json(line: RequestLine, at: datetime) -> None:
    """Write the line as JSON to standard error; `at` is UTC."""
    # only the path can hold a character that JSON would have to escape: a method is a token of HTTP
    sys.stderr.write(
        f'{{"event": "request", "level": "info", "logger": "{LOGGER}", '
        f'"timestamp": "{at.isoformat()[:-6]}Z", "request_id": "{line.request_id}", '
        f'"method": "{line.method}", "path": {_quoted(line.path)}, "status": {line.status}, '
        f'"ms": {line.ms}, "cache": "{line.cache}"}}\n'
    )


def not_at_all(_line: RequestLine, _at: datetime) -> None:
    """Write nothing, where `CM_LOG_LEVEL` wants less than what every request says."""


def writer_for(settings: Settings, *, is_terminal: bool) -> Callable[[RequestLine, datetime], None]:
    """Return how a process with these settings writes its lines."""
    if logging.getLevelNamesMapping()[settings.log_level] > logging.INFO:
        return not_at_all
    form = settings.log_format or ("console" if is_terminal else "json")
    return as_json if form == "json" else through_structlog
