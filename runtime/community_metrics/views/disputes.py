"""The disputed days of metrics: stored values beside what a second witness counted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.readings import day_of_number
from community_metrics.series.disputes import disputes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from community_metrics.series.disputes import Dispute
    from community_metrics.storage.reader import LanceDBReader

LATELY: Final = timedelta(weeks=5)
"""The days that are compared each week, of which `status` says what is disputed."""


async def load_disputes(
    reader: LanceDBReader, metric_ids: Sequence[str], *, since: date, until: date
) -> tuple[Dispute, ...]:
    """Return the disputed days of these metrics in a range, by metric and day."""
    seen = await reader.witnessed(metric_ids, since=since, until=until)
    if not seen:
        return ()
    names = list(dict.fromkeys(one.metric_id for one in seen))
    readings = await reader.readings(names, since=since, until=until)
    values: dict[tuple[str, date], int] = {}
    for name in names:
        rows = readings.of_metric(name)
        days, counts = rows["last_day"].tolist(), rows["value"].tolist()
        values |= {(name, day_of_number(day)): count for day, count in zip(days, counts, strict=True)}
    return tuple(disputes(values, seen))
