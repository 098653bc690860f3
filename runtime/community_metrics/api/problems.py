"""The one shape of every error: RFC 9457 `application/problem+json`.

Each `type` is the address of a paragraph in `docs/api.md`. A problem speaks to the caller: what storage or
the interpreter said goes to the log, never into a body.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from community_metrics.config import PROJECT_URL
from community_metrics.errors import (
    InvalidRange,
    StorageDenied,
    StorageNotBootstrapped,
    StorageSchemaMismatch,
    UnknownName,
    UnknownStoredValue,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from community_metrics.errors import ViewError

MEDIA_TYPE: Final = "application/problem+json"
DOCUMENTATION: Final = f"{PROJECT_URL}/blob/main/docs/api.md"
RETRY_AFTER_S: Final = 5
_DEFINITIONS: Final = "GET /api/v1/definitions lists all."
_SMALLER: Final = (
    "Request fewer periods (a later from=, a wider grain=) or fewer metrics (product= or metric_id=)."
)

TITLES: Final[Mapping[str, tuple[int, str]]] = {
    "not-found": (404, "There is nothing at this address"),
    "unknown-metric": (404, "There is no metric of this id"),
    "unknown-product": (404, "There is no product of this id"),
    "method-not-allowed": (405, "This method is not allowed here"),
    "invalid-parameter": (422, "A parameter cannot be used"),
    "answer-too-large": (422, "The answer would be too large"),
    "token-required": (401, "A bearer token is required"),
    "preflight-refused": (400, "This page may not read the API"),
    "bad-request": (400, "The request cannot be understood"),
    "storage-unavailable": (503, "The database does not answer"),
    "storage-denied": (503, "The database refuses this service"),
    "storage-not-ready": (503, "The database is not set up"),
    "storage-mismatch": (503, "Another version wrote the database"),
    "internal-error": (500, "This service made a mistake"),
}
"""Every kind of problem, with its status and title; `docs/api.md` explains each under the same word."""


class Fault(BaseModel):
    """One parameter that cannot be used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parameter: str = Field(description="Name of the query or path parameter.")
    detail: str = Field(description="What is wrong with its value.")
    allowed: str | None = Field(default=None, description="Which values are allowed.")


class ProblemBody(BaseModel):
    """An error, as RFC 9457 shapes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = Field(description="Address of the paragraph that explains this kind of problem.")
    title: str = Field(description="The kind of problem, in a few words.")
    status: int = Field(description="The HTTP status, repeated.")
    detail: str = Field(description="What is wrong with this request, and what to do.")
    instance: str = Field(description="The path that was asked.")
    near: list[str] | None = Field(default=None, description="Known ids that look like the one asked for.")
    faults: list[Fault] | None = Field(default=None, description="Every parameter that cannot be used.")
    request_id: str | None = Field(
        default=None, description="Id of the request in the service's log; tell it to the operator."
    )


@dataclass(eq=False)
class Problem(Exception):  # noqa: N818  the word of RFC 9457
    """An error on its way to the caller; `kind` is a key of `TITLES`."""

    kind: str
    detail: str
    near: Sequence[str] = ()
    faults: Sequence[Fault] = ()
    request_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status of this kind."""
        return TITLES[self.kind][0]

    def response(self, path: str) -> Response:
        """Return the answer to a request for `path`; errors are never kept by any cache."""
        status, title = TITLES[self.kind]
        body = ProblemBody(
            type=f"{DOCUMENTATION}#{self.kind}",
            title=title,
            status=status,
            detail=self.detail,
            instance=path,
            near=list(self.near) or None,
            faults=list(self.faults) or None,
            request_id=self.request_id,
        )
        return Response(
            body.model_dump_json(exclude_none=True),
            status,
            headers={"cache-control": "private, no-store", **self.headers},
            media_type=MEDIA_TYPE,
        )


def view_problem(error: ViewError) -> Problem:
    """Return the 404 or 422 for parameters that no view can be made for."""
    match error:
        case UnknownName():
            hint = f"Near: {', '.join(error.similar)}." if error.similar else _DEFINITIONS
            return Problem(f"unknown-{error.kind}", f"{error} {hint}", near=error.similar)
        case InvalidRange():
            return invalid("from", str(error), f"up to {error.last}, the last day")
        case _:
            return Problem("answer-too-large", f"{error} {_SMALLER}")


def invalid(parameter: str, detail: str, allowed: str | None = None) -> Problem:
    """Return the 422 for one parameter."""
    return invalid_all([Fault(parameter=parameter, detail=detail, allowed=allowed)])


def invalid_all(faults: Sequence[Fault]) -> Problem:
    """Return the 422 for several parameters at once."""
    said = [f"{fault.parameter}: {fault.detail}" + _allowed(fault) for fault in faults]
    return Problem("invalid-parameter", "; ".join(said) + ".", faults=faults)


def storage_problem(error: BaseException) -> Problem:
    """Return the 503 for a storage error; most texts name paths and hosts, so only the class is shown."""
    headers = {"retry-after": str(RETRY_AFTER_S)}
    if isinstance(error, StorageDenied):
        detail = "The key of this service is refused. Its operator has to check it."
        return Problem("storage-denied", detail, headers=headers)
    if isinstance(error, StorageNotBootstrapped):
        detail = "The tables do not exist. Its operator runs `community-metrics bootstrap`."
        return Problem("storage-not-ready", detail, headers=headers)
    if isinstance(error, StorageSchemaMismatch):
        columns = "The tables do not have the columns of this version. Its operator installs another version."
        detail = str(error) if isinstance(error, UnknownStoredValue) else columns
        return Problem("storage-mismatch", detail, headers=headers)
    detail = f"It cannot be reached or is too slow. Try again in {RETRY_AFTER_S} seconds."
    return Problem("storage-unavailable", detail, headers=headers)


def internal_error(request_id: str) -> Problem:
    """Return the 500; all it tells is where in the log the reason stands."""
    return Problem(
        "internal-error", "The reason is in the log, under this request id.", request_id=request_id
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entry of each error status a route can answer with."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
        }
        for status in statuses
    }


def _allowed(fault: Fault) -> str:
    return f" (allowed: {fault.allowed})" if fault.allowed else ""
