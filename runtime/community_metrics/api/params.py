"""Parameters: their ranges stand once, here, and reach checks, OpenAPI file and error messages from here."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import Path, Query, Request
from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from community_metrics.api.problems import Fault, invalid_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi.exceptions import RequestValidationError

MAX_POINTS: Final = 7_500
"""Points in one answer: about 2 MB of JSON, and what `bench.api` holds to the bound of memory."""
MAX_PERIODS: Final = 10_000
"""Points of one series."""
MAX_NAMES: Final = 50
MAX_ROWS: Final = 1_000

_FIRST_INSTANT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_INSTANT: Final = datetime(2200, 1, 1, tzinfo=UTC)
_ISO_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def _iso(text: object) -> object:
    """Let only ISO 8601 through: pydantic would also take `0` for the first day of 1970."""
    if isinstance(text, str) and not _ISO_DAY.match(text):
        raise ValueError("must be written as ISO 8601")
    return text


def _in_reach(instant: datetime) -> datetime:
    """Bring an instant to where LanceDB can compare it; nothing is stored beyond."""
    return min(max(instant, _FIRST_INSTANT), _LAST_INSTANT)


Day = Annotated[date, BeforeValidator(_iso)]
Instant = Annotated[AwareDatetime, BeforeValidator(_iso), AfterValidator(_in_reach)]
Weeks = Annotated[int, Query(ge=1, le=520, description="Completed ISO weeks to show.")]
Days = Annotated[int, Query(ge=1, le=3_660, description="Completed UTC days to show.")]
Months = Annotated[int, Query(ge=1, le=120, description="Completed calendar months to show.")]
Products = Annotated[
    list[str] | None,
    Query(max_length=MAX_NAMES, description="Show these products only; repeatable."),
]
MetricIds = Annotated[
    list[str] | None,
    Query(max_length=MAX_NAMES, description="Show these metrics only; repeatable."),
]
MetricId = Annotated[str, Path(description="Id of the metric, for example `downloads:lance:python`.")]
SeriesGrain = Annotated[Literal["day", "week", "month"], Query(description="Length of the periods.")]
FromDay = Annotated[
    Day | None, Query(alias="from", description="First UTC day; the oldest stored one by default.")
]
ToDay = Annotated[
    Day | None, Query(alias="to", description="Last UTC day, yesterday by default; never after today.")
]
Format = Annotated[
    Literal["json", "csv"] | None,
    Query(description="Form of the answer; `Accept` decides where it is not given."),
]
RunState = Literal["running", "success", "partial", "failed", "abandoned"]
State = Annotated[RunState | None, Query(description="Only runs that stand like this.")]
Job = Annotated[str | None, Query(max_length=64, description="Only runs of this job.")]
Limit = Annotated[int, Query(ge=1, le=MAX_ROWS, description="How many at most.")]
Before = Annotated[
    Instant | None,
    Query(description="Only runs that started before this instant; `next_before` of a page."),
]
Since = Annotated[Instant | None, Query(description="Only changes seen since this instant.")]
Theme = Annotated[
    Literal["auto", "light", "dark"], Query(description="Colours; `auto` follows the reader's own setting.")
]

_WORDS: Final = {"date": "a day such as 2026-11-22", "date-time": "an instant such as 2026-11-22T00:00:00Z"}


def refuse_unknown_parameters(request: Request) -> None:
    """Refuse a query parameter that the route has not, or got twice: a typo must not pass for an answer.

    Raises:
        Problem: 422, naming each such parameter.
    """
    if not request.url.query:
        return
    schemas = parameters_of(request, "query")
    given = Counter(name for name, _ in request.query_params.multi_items())
    faults = [
        Fault(parameter=name, detail="is not a parameter of this route", allowed=", ".join(schemas) or "none")
        for name in given
        if name not in schemas
    ]
    faults += [
        Fault(parameter=name, detail="is given more than once", allowed="once")
        for name, count in given.items()
        if count > 1 and name in schemas and not _is_list(schemas[name])
    ]
    if faults:
        raise invalid_all(faults)


def parameters_of(request: Request, *places: str) -> dict[str, Mapping[str, Any]]:
    """Return the JSON schemas of the route's parameters in these `places`, as the OpenAPI file has them."""
    asked = request.scope["route"].operation_id
    operations = (methods["get"] for methods in request.app.openapi()["paths"].values())
    parameters = next(one.get("parameters", []) for one in operations if one["operationId"] == asked)
    return {item["name"]: item["schema"] for item in parameters if item["in"] in places}


def faults_of(error: RequestValidationError, schemas: Mapping[str, Mapping[str, Any]]) -> list[Fault]:
    """Return one fault for each parameter that did not fit, with what would."""
    found: dict[str, Fault] = {}
    for item in error.errors():
        name = str(item["loc"][1]) if len(item["loc"]) > 1 else str(item["loc"][0])
        fault = Fault(parameter=name, detail=_plain(item["msg"]), allowed=allowed(schemas.get(name, {})))
        found.setdefault(name, fault)
    return list(found.values())


def allowed(schema: Mapping[str, Any]) -> str | None:
    """Return the allowed values of a JSON schema in words: `1 to 520`, `day, week, month`."""
    for choice in schema.get("anyOf", [schema]):
        if "enum" in choice:
            return ", ".join(map(str, choice["enum"]))
        if "minimum" in choice:
            return f"{choice['minimum']} to {choice['maximum']}"
        if choice.get("format") in _WORDS:
            return _WORDS[choice["format"]]
        if "maxLength" in choice:
            return f"at most {choice['maxLength']} characters"
        if "maxItems" in choice:
            return f"at most {choice['maxItems']} times"
    return None


def _is_list(schema: Mapping[str, Any]) -> bool:
    return any(choice.get("type") == "array" for choice in schema.get("anyOf", [schema]))


def _plain(message: str) -> str:
    return message[:1].lower() + message[1:]
