"""Query and path parameters: each range is defined once, for validation, OpenAPI file and error messages."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import Path, Query, Request
from fastapi.openapi.utils import get_openapi
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from community_metrics.api.problems import ParameterError, invalid_parameters
from community_metrics.model import MOST_SIDE_DAYS, SIDE_DAYS_STEP, JobName
from community_metrics.periods import FIRST_YEAR, LAST_YEAR, Grain, period_named
from community_metrics.suggestions import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi.exceptions import RequestValidationError

MAX_POINTS: Final = 30_000
"""Points in one dashboard: about 2 MB of JSON; `bench.api` checks the memory that this takes."""
MAX_PERIODS: Final = 10_000
"""Points of one series."""
_YEAR: Final = "(19(7[1-9]|[89][0-9])|2[01][0-9]{2})"
"""The years from FIRST_YEAR to LAST_YEAR."""
_DATE: Final = f"{_YEAR}-[0-9]{{2}}-[0-9]{{2}}"
MAX_NAMES: Final = 50
_RANGES: Final = ("12w", "1y", "2y", "all")
MOST_COMPARED: Final = 12
"""Series of one chart: more cannot be told apart."""


def _iso(text: object) -> object:
    """Reject all but ISO 8601: pydantic would also accept `0` as the first day of 1970."""
    if isinstance(text, str) and not re.match(r"\d{4}-\d{2}-\d{2}", text):
        raise ValueError("must be in ISO 8601 format")
    return text


def _digits(text: object) -> object:
    """Reject all but digits: pydantic would also accept `1_0`, `4.0` and `+4`."""
    if isinstance(text, str) and not re.fullmatch(r"[0-9]{1,19}", text):
        raise PydanticCustomError("int_parsing", "Must be a whole number, in digits only")
    return text


def _name_of(grain: Grain) -> AfterValidator:
    """Return the check of a period's name."""

    def checked(text: str) -> str:
        if period_named(text, grain) is None:
            raise PydanticCustomError("period", f"Must be the name of a {grain}")
        return text

    return AfterValidator(checked)


def _range(text: str) -> str:
    """Reject all but the name of a range, and two days in their order."""
    if text in _RANGES:
        return text
    try:
        first, last = (date.fromisoformat(day) for day in text.split(".."))
        is_range = re.fullmatch(rf"{_DATE}\.\.{_DATE}", text) is not None and first <= last
    except ValueError:
        is_range = False
    if not is_range:
        raise PydanticCustomError("range", "Must be the name of a range, or two days in their order")
    return text


def _text(pattern: str, format_: str) -> dict[str, str]:
    return {"type": "string", "pattern": pattern, "format": format_}


def _clamped(instant: datetime) -> datetime:
    """Return the nearest instant that LanceDB can compare; nothing is stored outside that range."""
    return min(max(instant, datetime(1970, 1, 1, tzinfo=UTC)), datetime(2200, 1, 1, tzinfo=UTC))


Day = Annotated[date, BeforeValidator(_iso)]
Instant = Annotated[AwareDatetime, BeforeValidator(_iso), AfterValidator(_clamped)]
_Digits = BeforeValidator(_digits)
Weeks = Annotated[int, Query(ge=1, le=520, description="Completed ISO weeks to show."), _Digits]
Days = Annotated[int, Query(ge=1, le=3_660, description="Completed UTC days to show."), _Digits]
Months = Annotated[int, Query(ge=1, le=120, description="Completed calendar months to show."), _Digits]
Products = Annotated[
    list[str] | None, Query(max_length=MAX_NAMES, description="Only these products; repeatable.")
]
MetricIds = Annotated[
    list[str] | None, Query(max_length=MAX_NAMES, description="Only these metrics; repeatable.")
]
ChartMetrics = Annotated[
    list[str],
    Query(min_length=1, max_length=MOST_COMPARED, description="The metrics of the chart; repeatable."),
]
WeekName = Annotated[
    Annotated[
        str, _name_of(Grain.WEEK), WithJsonSchema(_text(f"^{_YEAR}-W(0[1-9]|[1-4][0-9]|5[0-3])$", "week"))
    ]
    | None,
    Query(description="The ISO week."),
]
MonthName = Annotated[
    Annotated[str, _name_of(Grain.MONTH), WithJsonSchema(_text(f"^{_YEAR}-(0[1-9]|1[0-2])$", "month"))]
    | None,
    Query(description="The month."),
]
QuarterName = Annotated[
    Annotated[str, _name_of(Grain.QUARTER), WithJsonSchema(_text(f"^{_YEAR}-Q[1-4]$", "quarter"))] | None,
    Query(description="The quarter."),
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
    Query(description="Format of the response; without it, `Accept` decides."),
]
LedgerFormat = Annotated[
    Literal["json", "csv", "atom"] | None,
    Query(description="Format of the response; without it, `Accept` decides between JSON and CSV."),
]
FeedFormat = Annotated[Literal["json", "atom"], Query(description="Format of the response.")]
DigestId = Annotated[str, Path(max_length=100, description="Id of the digest, as `/digests` lists it.")]
DigestFormat = Annotated[
    Literal["html", "md", "json"], Path(description="Slides, Markdown, or everything as data.")
]
Excel = Annotated[
    bool, Query(description="For Excel: begin the CSV with a byte order mark, so that it is read as UTF-8.")
]
RunState = Literal["running", "success", "partial", "failed", "abandoned"]
State = Annotated[RunState | None, Query(description="Only runs in this state.")]
Job = Annotated[JobName | None, Query(description="Only runs of this job.")]
Limit = Annotated[int, Query(ge=1, le=1_000, description="Maximum number of items."), _Digits]
Before = Annotated[
    Instant | None,
    Query(description="Only runs that started before this instant; pass the `next_before` of a page."),
]
Since = Annotated[Instant | None, Query(description="Only changes read since this instant.")]
TrafficMetric = Annotated[str, Query(description="Id of the metric, for example `referrers:lance:github`.")]
SinceDay = Annotated[
    Day | None, Query(description="First UTC day of reading; without it only the newest list.")
]
UntilDay = Annotated[Day | None, Query(description="Last UTC day of reading; the newest one by default.")]
ComparedMetric = Annotated[str, Query(description="Id of the metric, for example `downloads:lance:python`.")]
EventId = Annotated[str | None, Query(description="Id of the event whose day is between the two sides.")]
EventDay = Annotated[Day | None, Query(description="The UTC day between the two sides.")]
SideDays = Annotated[
    int,
    Query(
        ge=SIDE_DAYS_STEP,
        le=MOST_SIDE_DAYS,
        multiple_of=SIDE_DAYS_STEP,
        description="Days on each side, whole weeks.",
    ),
    _Digits,
]
SkipMissing = Annotated[
    bool, Query(description="Compare without the missing days and name them; else a missing day is a 422.")
]
EventsFrom = Annotated[
    Day | None, Query(alias="from", description="First UTC day; the oldest event by default.")
]
EventsTo = Annotated[Day | None, Query(alias="to", description="Last UTC day; the newest event by default.")]
Family = Annotated[
    str | None,
    Query(
        max_length=100,
        description="Only metrics of this family, such as `stars`; `downloads` without any filter by id.",
    ),
]
Total = Annotated[bool, Query(description="Draw the sum of the metrics instead of each.")]
LinkedProduct = Annotated[
    str | None, Query(max_length=100, description="The product that the link is about; all without one.")
]
ChartRange = Annotated[
    Annotated[
        str, AfterValidator(_range), WithJsonSchema(_text(f"^(12w|1y|2y|all|{_DATE}\\.\\.{_DATE})$", "range"))
    ],
    Query(
        description="The days: the newest 12 weeks, year or two, all that is stored, or from a day to a day."
    ),
]
Theme = Annotated[
    Literal["auto", "light", "dark"], Query(description="Colours; `auto` follows the setting of the browser.")
]

_YEARS: Final = f"from {FIRST_YEAR} to {LAST_YEAR}, such as"
_WORDS: Final = {
    "date": "a day such as 2026-11-22",
    "date-time": "an instant such as 2026-11-22T00:00:00Z",
    "week": f"an ISO week {_YEARS} 2026-W47",
    "month": f"a month {_YEARS} 2026-11",
    "quarter": f"a quarter {_YEARS} 2026-Q4",
    "range": f"{', '.join(_RANGES)}, or days such as 2026-01-01..2026-06-30",
}


def reject_unknown_parameters(request: Request) -> None:
    """Reject a query parameter that the route does not have, or that is repeated where it must not be.

    Raises:
        Problem: 422, naming each such parameter.
    """
    if not request.url.query:
        return
    schemas = parameters_of(request, "query")
    counts = Counter(name for name, _ in request.query_params.multi_items())
    names = ", ".join(schemas) or "none"
    errors = [
        ParameterError(parameter=shortened(name), detail="is not a parameter of this route", allowed=names)
        for name in counts
        if name not in schemas
    ]
    errors += [
        ParameterError(parameter=name, detail="is repeated", allowed="once")
        for name, count in counts.items()
        if count > 1 and name in schemas and not _is_list(schemas[name])
    ]
    if errors:
        raise invalid_parameters(errors)


def parameters_of(request: Request, *places: str) -> dict[str, Mapping[str, Any]]:
    """Return the JSON schemas of the route's parameters in these `places` (`query`, `path`)."""
    route, known = request.scope["route"], request.app.state.parameters
    if route.operation_id not in known:
        # the file of one route only: that of all takes a second, in which the API answers nobody
        [path] = get_openapi(title=request.app.title, version="", routes=[route])["paths"].values()
        known[route.operation_id] = path["get"].get("parameters", [])
    return {item["name"]: item["schema"] for item in known[route.operation_id] if item["in"] in places}


def parameter_errors(
    error: RequestValidationError, schemas: Mapping[str, Mapping[str, Any]]
) -> list[ParameterError]:
    """Return the first error of each invalid parameter, with the allowed values."""
    found: dict[str, ParameterError] = {}
    for item in error.errors():
        name = str(item["loc"][1]) if len(item["loc"]) > 1 else str(item["loc"][0])
        message = item["msg"][:1].lower() + item["msg"][1:]
        allowed = allowed_values(schemas.get(name, {}))
        found.setdefault(name, ParameterError(parameter=name, detail=message, allowed=allowed))
    return list(found.values())


def allowed_values(schema: Mapping[str, Any]) -> str | None:
    """Return the allowed values of a JSON schema as text: `1 to 520`, `day, week, month`."""
    for choice in schema.get("anyOf", [schema]):
        values = ("true", "false") if choice.get("type") == "boolean" else choice.get("enum")
        if values:
            return ", ".join(map(str, values))
        if "minimum" in choice:
            steps = f" in steps of {choice['multipleOf']}" if "multipleOf" in choice else ""
            return f"{choice['minimum']} to {choice['maximum']}{steps}"
        if choice.get("format") in _WORDS:
            return _WORDS[choice["format"]]
        if "maxLength" in choice:
            return f"at most {choice['maxLength']} characters"
        if "maxItems" in choice:
            return f"at most {choice['maxItems']} times"
    return None


def _is_list(schema: Mapping[str, Any]) -> bool:
    return any(choice.get("type") == "array" for choice in schema.get("anyOf", [schema]))
