"""The arguments of the tools: each range is defined once, for validation and for the schema."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from community_metrics.api.params import MOST_COMPARED, Day
from community_metrics.model import MOST_SIDE_DAYS, SIDE_DAYS_STEP
from community_metrics.periods import Grain, period_named

MOST_OUTAGES: Final = 200
_EXAMPLES: Final = {Grain.WEEK: "2026-W47", Grain.MONTH: "2026-11", Grain.QUARTER: "2026-Q4"}


def _is_period(text: str) -> str:
    if not any(period_named(text, grain) for grain in _EXAMPLES):
        examples = ", ".join(f"{name} for a {grain.value}" for grain, name in _EXAMPLES.items())
        raise PydanticCustomError(
            "period", "Must be the name of a period, such as {examples}", {"examples": examples}
        )
    return text


MetricId = Annotated[str, Field(max_length=250, description="Id of the metric, as list_metrics has it.")]
MetricIds = Annotated[
    list[Annotated[str, Field(max_length=250)]],
    Field(min_length=1, max_length=MOST_COMPARED, description="Ids of metrics, as list_metrics has them."),
]
SeriesGrain = Annotated[Literal["day", "week", "month"], Field(description="Length of the periods.")]
FromDay = Annotated[
    Day | None, Field(description="First UTC day, such as 2026-11-16; by default 12 periods are returned.")
]
ToDay = Annotated[Day | None, Field(description="Last UTC day; yesterday by default.")]
Total = Annotated[
    bool, Field(description="Also return the sum of the metrics. It is refused where they do not add up.")
]
Product = Annotated[
    str | None, Field(max_length=250, description="Only this product, such as lance; all without it.")
]
PeriodName = Annotated[
    Annotated[str, AfterValidator(_is_period)] | None,
    Field(
        description="A week, month or quarter that is over: 2026-W47, 2026-11 or 2026-Q4. By default the "
        "last week."
    ),
]
EventDay = Annotated[Day | None, Field(description="The UTC day between the two sides.")]
EventId = Annotated[
    str | None, Field(max_length=250, description="The event whose day is between the two sides.")
]
SideDays = Annotated[
    int,
    Field(
        ge=SIDE_DAYS_STEP,
        le=MOST_SIDE_DAYS,
        multiple_of=SIDE_DAYS_STEP,
        description="Days on each side, whole weeks.",
    ),
]
SkipMissing = Annotated[
    bool, Field(description="Compare without the missing days and name them; else a missing day is an error.")
]
Limit = Annotated[int, Field(ge=1, le=MOST_OUTAGES, description="How many outages, last seen first.")]
