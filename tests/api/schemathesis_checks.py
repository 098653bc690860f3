"""Imported by `schemathesis run`: which requests that fit the OpenAPI file may be rejected, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import schemathesis

if TYPE_CHECKING:
    from schemathesis.checks import CheckContext
    from schemathesis.core.transport import Response
    from schemathesis.generation.case import Case

_UNPROCESSABLE = 422
_RIGHT_REASONS = {
    "/api/v1/dashboard/daily": {"answer-too-large"},
    "/api/v1/dashboard/weekly": {"answer-too-large"},
    "/api/v1/dashboard/monthly": {"answer-too-large"},
    "/api/v1/series/{metric_id}": {"answer-too-large", "invalid-parameter"},
    "/api/v1/export/{table}.{file_format}": {"invalid-parameter"},
}
_BETWEEN_TWO = ({"from"}, {"excel"})
"""The parameters that are rejected because of another one: `from` after `to`, `excel` without CSV."""


@schemathesis.check
def valid_input_is_rejected_for_a_reason_that_openapi_cannot_say(
    _context: CheckContext, response: Response, case: Case[Any]
) -> None:
    """Fail on a 422 for schema-valid input, unless for its size or for a rule between two parameters."""
    is_valid = case.meta is not None and case.meta.generation.mode.is_positive
    if not is_valid or response.status_code != _UNPROCESSABLE:
        return
    problem = response.json()
    kind = problem["type"].partition("#")[2]
    if kind not in _RIGHT_REASONS.get(case.path, set()):
        raise AssertionError(f"{case.path} rejects as {kind} what its schema allows: {problem['detail']}")
    if kind == "invalid-parameter" and _parameters_of(problem) not in _BETWEEN_TWO:
        raise AssertionError(f"{case.path} rejects what its schema allows: {problem['detail']}")


def _parameters_of(problem: dict[str, Any]) -> set[str]:
    return {error["parameter"] for error in problem["errors"]}
