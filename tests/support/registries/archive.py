"""The archive of crates.io: one CSV file a day with the downloads of every version of every crate.

A day gets its file when the API drops it. The total of a day is an override of the subject `__all__`, or made
up; None is a day without a file.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from community_metrics.periods import ONE_DAY, days_between
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from tests.support.registry import Registry
    from tests.support.scripted import Request

ARCHIVE = "crates-archive"
_LATE = timedelta(days=90)


def answer(registry: Registry, parts: list[str], _request: Request) -> Scripted | None:
    match parts:
        case ["archive", "version-downloads", "index.json"]:
            days = days_between(registry.first_day, registry.today - _LATE - ONE_DAY)
            listed = [day for day in reversed(list(days)) if _total(registry, day) is not None]
            return Scripted(body=[{"name": f"{day}.csv", "size": 9_000_000} for day in listed])
        case ["archive", "version-downloads", file]:
            day = date.fromisoformat(file.removesuffix(".csv"))
            total = _total(registry, day)
            if total is None or day >= registry.today - _LATE:
                return Scripted(404, body_text="<Error><Code>NoSuchKey</Code></Error>")
            return Scripted(headers={"content-type": "binary/octet-stream"}, body_text=_rows(total))
    return None


def _total(registry: Registry, day: date) -> int | None:
    return registry.value(ARCHIVE, "__all__", day)


def _rows(total: int) -> str:
    parts = [total // 2, total // 3]
    counts = [*parts, total - sum(parts)]
    rows = (f"{version},{count}" for version, count in enumerate(counts, start=1_000))
    return "\n".join(["version_id,downloads", *rows, ""])
