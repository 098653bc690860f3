"""What bodies must say of one version of `stats`, computed from LanceDB's own read of it.

Only the rules are the product's; none of its code is used, so that an error in a view is found.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_COLUMNS = ["metric_id", "period_end", "value", "observed_at", "revision"]
_ONE_DAY = timedelta(days=1)
_REACH = timedelta(hours=12)
_TOTAL_DAYS = 30


@dataclass(frozen=True, slots=True)
class Row:
    """What the bodies show of one row."""

    value: int
    observed_at: datetime
    revision: int


class Claim(NamedTuple):
    """What a body states, and what is stored."""

    what: str
    stated: object
    stored: object


@dataclass(frozen=True, slots=True)
class Truth:
    """The rows of one version, by metric and day."""

    rows: Mapping[str, Mapping[date, Row]]

    @classmethod
    async def of_version(cls, table: Any, version: int) -> Truth:
        """Read a version of `stats` through a handle of LanceDB."""
        await table.checkout(version)
        found = await table.query().select(_COLUMNS).limit(10_000_000).to_arrow()
        rows: dict[str, dict[date, Row]] = defaultdict(dict)
        for metric_id, day, *rest in zip(*(found.column(name).to_pylist() for name in _COLUMNS), strict=True):
            assert day not in rows[metric_id], f"{metric_id} has {day} twice"
            rows[metric_id][day] = Row(*rest)
        return cls(rows)

    @property
    def size_and_sum(self) -> tuple[int, int]:
        """How many rows there are, and the sum of their values."""
        values = [row.value for days in self.rows.values() for row in days.values()]
        return len(values), sum(values)

    def claims(self, body: Mapping[str, Any]) -> Iterator[Claim]:
        """Yield every value that a body of any route states, with the stored one."""
        for metric_id, start, end, value in _points(body):
            yield Claim(f"{metric_id} {start} to {end}", value, self._value(metric_id, start, end))
        for product in body.get("products", ()):
            yield from self._total(product)
        if "stars" in body:
            levels = [self._newest(name) for name in self.rows if name.startswith("stars:")]
            yield Claim("stars", body["stars"]["value"], sum(row.value for row in levels))
        for one in body.get("restatements", ()):
            row = self.rows[one["metric_id"]][date.fromisoformat(one["period_end"])]
            shown = (one["value"], one["revision"])
            yield Claim(f"restated {one['metric_id']}", shown, (row.value, row.revision))
        for one in body.get("metrics", ()):
            if "newest_day" in one:
                newest = max(self.rows[one["metric_id"]]).isoformat()
                yield Claim(f"newest day of {one['metric_id']}", one["newest_day"], newest)

    def _value(self, metric_id: str, start: date, end: date) -> int | None:
        days = self.rows[metric_id]
        if metric_id.startswith("stars:"):
            readings = _belonging(days.values(), start, end)
            return readings[-1].value if readings else None
        values = [row.value for day, row in days.items() if start <= day <= end]
        return sum(values) if values else None

    def _newest(self, metric_id: str) -> Row:
        days = self.rows[metric_id]
        return days[max(days)]

    def _total(self, product: Mapping[str, Any]) -> Iterator[Claim]:
        total = product["downloads_30d"]
        if total is None:
            return
        counted = [self.rows[metric_id] for metric_id in total["metric_ids"]]
        common = set.intersection(*(set(days) for days in counted))
        last = max(common)
        days = [day for day in common if day > last - _TOTAL_DAYS * _ONE_DAY]
        value = sum(rows[day].value for rows in counted for day in days)
        yield Claim(f"downloads of {product['product']}", total["value"], value)


def exported(body: bytes, file_format: str) -> tuple[int, int]:
    """Return how many rows of `stats` an exported file has, and the sum of their values."""
    if file_format == "parquet":
        values = pq.read_table(io.BytesIO(body)).column("value").to_pylist()
    else:
        values = [int(row["value"]) for row in csv.DictReader(io.StringIO(body.decode(), newline=""))]
    return len(values), sum(values)


def _points(body: Mapping[str, Any]) -> Iterator[tuple[str, date, date, int | None]]:
    """Yield the points of a dashboard or a series: metric, first day, last day, value."""
    if "points" in body:
        yield from _of_metric(body["metric"]["metric_id"], body["points"])
    for product in body.get("products", ()):
        for metric in product["metrics"]:
            metric_id, columns = metric["metric_id"], metric["points"]
            points = columns if isinstance(columns, list) else _as_rows(columns, body["periods"])
            known = [metric["latest_complete"]] if metric["latest_complete"] else []
            yield from _of_metric(metric_id, [*points, metric["running"], *known])


def _as_rows(columns: Mapping[str, Any], periods: Mapping[str, Any]) -> list[dict[str, Any]]:
    fields = (periods["period_start"], periods["period_end"], columns["value"])
    return [
        {"period_start": start, "period_end": end, "value": value}
        for start, end, value in zip(*fields, strict=True)
    ]


def _of_metric(
    metric_id: str, points: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, date, date, int | None]]:
    for point in points:
        start, end = (date.fromisoformat(point[name]) for name in ("period_start", "period_end"))
        yield metric_id, start, end, point["value"]


def _belonging(rows: Any, start: date, end: date) -> list[Row]:
    """Return the readings of a level that belong to a period, oldest first: to 12 h after its end."""
    first = datetime.combine(start, time(), UTC) + _REACH
    last = datetime.combine(end + _ONE_DAY, time(), UTC) + _REACH
    return sorted((row for row in rows if first < row.observed_at <= last), key=lambda row: row.observed_at)
