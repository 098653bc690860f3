"""The one format of every error: RFC 9457 `application/problem+json`.

Each `type` is the address of a section in `docs/api.md`. A problem is for the client: the error of storage or
of the interpreter goes to the log, never into a body.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field
from starlette.responses import Response

from community_metrics.api.schemas.base import Body
from community_metrics.config import PROJECT_URL
from community_metrics.errors import (
    DayOutOfRange,
    DaysMissing,
    InvalidRange,
    NoRegistryTotal,
    NoSuchFamily,
    NotAdditive,
    NotAlike,
    NotComparable,
    PeriodNotOver,
    StorageDenied,
    StorageNotBootstrapped,
    StorageSchemaMismatch,
    TooManyLines,
    UnknownName,
    UnknownStoredValue,
)
from community_metrics.suggestions import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from community_metrics.errors import TookTooLong, ViewError

MEDIA_TYPE: Final = "application/problem+json"
DOCUMENTATION: Final = f"{PROJECT_URL}/blob/main/docs/api.md"
RETRY_AFTER_S: Final = 5
_LISTED: Final = 20
_LISTED_BY: Final = {
    "metric": "definitions",
    "product": "definitions",
    "event": "events",
    "digest": "digests",
}
_FEWER: Final = (
    "request fewer periods (a later from=, a wider grain=) or fewer metrics (product= or metric_id=)."
)
_SMALLER: Final = f"R{_FEWER[1:]}"

TITLES: Final[Mapping[str, tuple[int, str]]] = {
    "not-found": (404, "Not found"),
    "unknown-metric": (404, "Metric not found"),
    "unknown-product": (404, "Product not found"),
    "unknown-event": (404, "Event not found"),
    "unknown-digest": (404, "Digest not found"),
    "method-not-allowed": (405, "Method not allowed"),
    "no-such-range": (416, "Range outside the file"),
    "invalid-parameter": (422, "Invalid parameter"),
    "answer-too-large": (422, "Response too large"),
    "not-additive": (422, "Values do not add up"),
    "not-comparable": (422, "Values cannot be compared"),
    "days-missing": (422, "Days are missing"),
    "token-required": (401, "Bearer token required"),
    "bad-request": (400, "Bad request"),
    "busy": (503, "Too many requests at once"),
    "took-too-long": (503, "Request took too long"),
    "storage-unavailable": (503, "Database unavailable"),
    "storage-denied": (503, "Database access denied"),
    "storage-not-ready": (503, "Database not set up"),
    "storage-mismatch": (503, "Database of another version"),
    "internal-error": (500, "Internal server error"),
}
"""Every kind of problem with its status and title; `docs/api.md` has a section for each."""


class ParameterError(Body):
    """One invalid parameter."""

    parameter: str = Field(description="Name of the query or path parameter.")
    detail: str = Field(description="What is wrong with its value.")
    allowed: str | None = Field(default=None, description="Which values are allowed.")


class ProblemBody(Body):
    """An error in the format of RFC 9457."""

    type: str = Field(description="Address of the section that explains this kind of problem.")
    title: str = Field(description="The kind of problem, in a few words.")
    status: int = Field(description="The HTTP status, repeated.")
    detail: str = Field(description="What is wrong with this request, and what to do.")
    instance: str = Field(description="The path of the request; the first 100 characters of a longer one.")
    near: list[str] | None = Field(
        default=None, description="Known ids that are similar to the requested one."
    )
    errors: list[ParameterError] | None = Field(default=None, description="Every invalid parameter.")
    request_id: str | None = Field(
        default=None, description="Id of the request in the log of the service, for its operator."
    )


@dataclass(eq=False)
class Problem(Exception):  # noqa: N818  the word of RFC 9457
    """An error for the client; `kind` is a key of `TITLES`."""

    kind: str
    detail: str
    near: Sequence[str] = ()
    errors: Sequence[ParameterError] = ()
    request_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status of this kind."""
        return TITLES[self.kind][0]

    def response(self, path: str) -> Response:
        """Return the response to a request for `path`; no cache stores an error."""
        body = ProblemBody(
            type=f"{DOCUMENTATION}#{self.kind}",
            title=TITLES[self.kind][1],
            status=self.status,
            detail=self.detail,
            instance=shortened(path),
            near=list(self.near) or None,
            errors=list(self.errors) or None,
            request_id=self.request_id,
        )
        return Response(
            body.model_dump_json(exclude_none=True),
            self.status,
            headers={"cache-control": "private, no-store", **self.headers},
            media_type=MEDIA_TYPE,
        )


def view_problem(error: ViewError) -> Problem:
    """Return the 404 or 422 for parameters that no view can be made for."""
    match error:
        case UnknownName():
            hint = f"GET /api/v1/{_LISTED_BY[error.kind]} lists all."
            if error.similar:
                hint = f"Near: {', '.join(error.similar)}."
            detail = f"No {error.kind} {shortened(error.name)!r} is stored. {hint}"
            return Problem(f"unknown-{error.kind}", detail, near=error.similar)
        case InvalidRange():
            return invalid("from", str(error), f"up to {error.last}, the last day")
        case PeriodNotOver():
            return invalid(error.grain, str(error), f"up to {error.last}")
        case DayOutOfRange() | DaysMissing() | NotComparable() | NotAlike() | NoRegistryTotal():
            return _comparison_problem(error)
        case NotAdditive():
            return Problem("not-additive", f"{error}. Fix: request it by day, on its own.")
        case _:
            return _size_problem(error)


def _size_problem(error: ViewError) -> Problem:
    """Return the problem of a view that would have too much, or nothing."""
    match error:
        case NoSuchFamily():
            return invalid("family", shortened(str(error)), ", ".join(error.known) or None)
        case TooManyLines():
            fix = "Fix: name fewer with metric_id= or product=, or add total=true for their sum."
            return Problem("answer-too-large", f"{error} {fix}")
        case _:
            return Problem("answer-too-large", f"{error} {_SMALLER}")


def _comparison_problem(
    error: DayOutOfRange | DaysMissing | NotComparable | NotAlike | NoRegistryTotal,
) -> Problem:
    match error:
        case DayOutOfRange():
            return invalid(error.parameter, str(error), f"{error.first} to {error.last}")
        case DaysMissing():
            fix = "Fix: choose other days, or add skip_missing=true to compare without them."
            return Problem("days-missing", f"{error}. {fix}")
        case NotComparable():
            return Problem("not-comparable", f"{error}.")
        case NotAlike():
            return Problem("not-comparable", f"{error} Fix: request them one by one.")
        case NoRegistryTotal():
            return invalid("metric_id", str(error), "daily downloads from PyPI, npm or crates.io")


def invalid(parameter: str, detail: str, allowed: str | None = None) -> Problem:
    """Return the 422 for one parameter."""
    return invalid_parameters([ParameterError(parameter=parameter, detail=detail, allowed=allowed)])


def invalid_parameters(errors: Sequence[ParameterError]) -> Problem:
    """Return the 422 for several parameters at once; it lists the first ones of many."""
    errors = errors[:_LISTED]
    texts = [
        f"{error.parameter}: {error.detail}" + (f" (allowed: {error.allowed})" if error.allowed else "")
        for error in errors
    ]
    return Problem("invalid-parameter", "; ".join(texts) + ".", errors=errors)


def storage_problem(error: BaseException) -> Problem:
    """Return the 503 for a storage error; most texts name paths and hosts, so only the kind is shown."""
    kind = "storage-unavailable"
    detail = f"The database cannot be reached or is too slow. Try again in {RETRY_AFTER_S} seconds."
    if isinstance(error, StorageDenied):
        kind = "storage-denied"
        detail = "The database rejects the key of this service. Its operator has to check the key."
    elif isinstance(error, StorageNotBootstrapped):
        kind = "storage-not-ready"
        detail = "The tables do not exist. The operator has to run `community-metrics bootstrap`."
    elif isinstance(error, StorageSchemaMismatch):
        kind = "storage-mismatch"
        columns = "The tables lack columns of this version. The operator has to install another version."
        detail = str(error) if isinstance(error, UnknownStoredValue) else columns
    return Problem(kind, detail, headers={"retry-after": str(RETRY_AFTER_S)})


def busy_problem() -> Problem:
    """Return the 503 for a request that was not started, because others use all that memory allows."""
    detail = (
        "The service handles as many requests as it can; this one was not started. "
        f"Fix: try again in {RETRY_AFTER_S} seconds, and send fewer requests at once."
    )
    return Problem("busy", detail, headers={"retry-after": str(RETRY_AFTER_S)})


def too_long_problem(error: TookTooLong) -> Problem:
    """Return the 503 for a body that was not built within its time limit, while the database responds."""
    detail = (
        f"This response was not ready after {error.limit_s:g} seconds, so it was cancelled. Fix: {_FEWER}"
    )
    return Problem("took-too-long", detail, headers={"retry-after": str(RETRY_AFTER_S)})


def internal_error(request_id: str) -> Problem:
    """Return the 500; it has the request id alone, with which the error is in the log."""
    return Problem(
        "internal-error", "The log of the service has the error under this request id.", request_id=request_id
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entry of each error status that a route can respond with."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
        }
        for status in statuses
    }
