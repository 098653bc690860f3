"""The errors of tools as messages for an assistant: the words of the API, with the fix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from fastapi.exceptions import RequestValidationError

from community_metrics.api.params import parameter_errors
from community_metrics.api.problems import (
    ParameterError,
    Problem,
    busy_problem,
    invalid_parameters,
    storage_problem,
    too_long_problem,
    view_problem,
)
from community_metrics.errors import Busy, StorageError, TookTooLong, UnknownName, ViewError
from community_metrics.suggestions import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pydantic import ValidationError

_log = structlog.get_logger("community_metrics.mcp")
_FIXES: Final = {
    "metric": "list_metrics lists all metrics.",
    "product": "list_metrics lists the product of each metric.",
    "event": "choose a day instead of an event.",
}


def message_of(error: BaseException | None) -> str | None:
    """Return what to tell the assistant of an expected error; None for any other, which is a bug.

    The text of a storage error names paths and hosts, so it is logged, and the client gets only its kind.
    """
    match error:
        case Problem():
            return error.detail
        case UnknownName() if not error.similar and error.kind in _FIXES:
            return f"No {error.kind} {shortened(error.name)!r} is stored. Fix: {_FIXES[error.kind]}"
        case ViewError():
            return view_problem(error).detail
        case StorageError() | TimeoutError() | Busy() | TookTooLong():
            return _service_problem(error).detail
        case _:
            return None


def _service_problem(error: StorageError | TimeoutError | Busy | TookTooLong) -> Problem:
    match error:
        case Busy():
            return busy_problem()
        case TookTooLong():
            return too_long_problem(error)
        case _:
            _log.error("read failed", reason=str(error))
            return storage_problem(error)


def arguments_message(error: ValidationError, schema: Mapping[str, Any]) -> str:
    """Return what is wrong with the arguments of a tool, each with its allowed values."""
    found = parameter_errors(RequestValidationError(error.errors()), schema["properties"])
    return invalid_parameters(found).detail


def unknown_arguments_message(names: list[str], schema: Mapping[str, Any]) -> str:
    """Return that a tool does not have these arguments, and which it has."""
    known = ", ".join(schema["properties"]) or "none"
    errors = [
        ParameterError(parameter=shortened(name), detail="is not an argument of this tool", allowed=known)
        for name in names
    ]
    return invalid_parameters(errors).detail
