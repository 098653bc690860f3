"""ClickPy: the days of packages by an SQL query, one row for each package; integers are quoted."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from community_metrics.periods import ONE_DAY
from community_metrics.sources.backfill.clickpy import SENTINELS
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from tests.support.registry import Registry
    from tests.support.scripted import Request

__all__ = ["SENTINELS", "answer"]
_NAMES = re.compile(r"project IN \(([^)]*)\)")
_SINCE = re.compile(r"date >= '([0-9-]+)'")


def answer(registry: Registry, request: Request) -> Scripted:
    query = request.body.decode()
    names, since = _NAMES.search(query), _SINCE.search(query)
    if request.params.get("result_overflow_mode") != "throw" or names is None or since is None:
        return Scripted(400, body_text="Code: 62. DB::Exception: Syntax error")
    factor = registry.clickpy_factor * (1.0 if "installer NOT IN" in query else 1.02)
    rows = [
        row
        for name in re.findall(r"'([^']+)'", names[1])
        if (row := _row(registry, name, date.fromisoformat(since[1]), factor))["days"]
    ]
    return Scripted(body={"meta": [], "data": rows, "rows": len(rows), "statistics": {"rows_read": 1}})


def _row(registry: Registry, name: str, since: date, factor: float) -> dict[str, object]:
    last = registry.clickpy_until or registry.today - ONE_DAY
    first = max(since, registry.first_day)
    days = [first + n * ONE_DAY for n in range((last - first).days + 1)]
    counted = {day: int(value * factor) for day in days if (value := registry.value("pypistats", name, day))}
    if name not in SENTINELS:
        counted |= registry.clickpy_overrides
        counted = {day: value for day, value in counted.items() if value}
    counts = [str(value) for value in counted.values()]
    return {"project": name, "days": [f"{day}" for day in counted], "counts": counts}
