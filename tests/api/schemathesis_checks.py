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
    "/api/v1/series/{metric_id}/registry": {"answer-too-large", "invalid-parameter"},
    "/api/v1/export/{table}.{file_format}": {"invalid-parameter"},
    "/api/v1/insights": {"invalid-parameter"},
    "/api/v1/before-after": {"invalid-parameter", "not-comparable", "days-missing"},
    "/api/v1/compare": {"invalid-parameter"},
    "/api/v1/events": {"invalid-parameter"},
    "/api/v1/overview": {"invalid-parameter"},
    "/api/v1/traffic-items": {"invalid-parameter"},
    "/api/v1/chart/{metric_id}.svg": {"invalid-parameter", "not-additive"},
    "/api/v1/preview": {"invalid-parameter"},
    "/api/v1/preview.html": {"invalid-parameter"},
    "/api/v1/preview.png": {"invalid-parameter"},
    "/api/v1/chart.svg": {"invalid-parameter", "not-additive", "not-comparable", "answer-too-large"},
}
_RIGHT_PARAMETERS = (
    {"from"},
    {"range"},
    {"excel"},
    {"since"},
    {"week"},
    {"month"},
    {"quarter"},
    {"day"},
    {"event_id"},
)
"""The parameters that another one rejects, as `from` after `to`, or the day: a week that is not over."""
_RIGHT_PARAMETERS_OF = {
    "/api/v1/series/{metric_id}/registry": ({"metric_id"},),
    "/api/v1/chart.svg": ({"family"},),
}
"""Parameters that are rejected for what is stored: no total of the registry, no metric of the family."""


@schemathesis.check
def valid_input_is_rejected_for_a_reason_that_openapi_cannot_say(
    _context: CheckContext, response: Response, case: Case[Any]
) -> None:
    """Fail on a 422 for schema-valid input, unless for its size, another parameter or the day."""
    is_valid = case.meta is not None and case.meta.generation.mode.is_positive
    if not is_valid or response.status_code != _UNPROCESSABLE:
        return
    problem = response.json()
    kind = problem["type"].partition("#")[2]
    if kind not in _RIGHT_REASONS.get(case.path, set()):
        raise AssertionError(f"{case.path} rejects as {kind} what its schema allows: {problem['detail']}")
    if kind == "invalid-parameter" and _parameters_of(problem) not in (
        *_RIGHT_PARAMETERS,
        *_RIGHT_PARAMETERS_OF.get(case.path, ()),
    ):
        raise AssertionError(f"{case.path} rejects what its schema allows: {problem['detail']}")


def _parameters_of(problem: dict[str, Any]) -> set[str]:
    return {error["parameter"] for error in problem["errors"]}
