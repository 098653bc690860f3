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
    from collections.abc import Iterator

    from tests.support.registry import Registry
    from tests.support.scripted import Request

ARCHIVE = "crates-archive"
_LATE = timedelta(days=90)


def answer(registry: Registry, parts: list[str], request: Request) -> Scripted | None:
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
            text = _rows(total, list(_crate_rows(registry, day)))
            return Scripted(headers={"content-type": "binary/octet-stream"}, body_text=text)
        case ["api", "v1", "crates", crate, "versions"]:
            return _versions(registry, crate, request)
    return None


def _total(registry: Registry, day: date) -> int | None:
    return registry.value(ARCHIVE, "__all__", day)


def _rows(total: int, of_crates: list[tuple[int, int]]) -> str:
    others = total - sum(count for _, count in of_crates)
    parts = [others // 2, others // 3]
    counts = [*parts, others - sum(parts)]
    rows = (f"{version},{count}" for version, count in (*of_crates, *enumerate(counts, start=1_000)))
    return "\n".join(["version_id,downloads", *rows, ""])


def _crate_rows(registry: Registry, day: date) -> Iterator[tuple[int, int]]:
    """Yield the downloads of each archived crate: of its first version, and of its second one."""
    for number, crate in enumerate(registry.archived):
        value = registry.value("crates", crate, day) or 0
        if value:
            yield from ((2 * number + 1, value // 3), (2 * number + 2, value - value // 3))


def _versions(registry: Registry, crate: str, request: Request) -> Scripted:
    """Return the versions on two pages."""
    number = registry.archived.index(crate)
    published = f"{registry.first_day}T10:00:00Z"
    if "seek" in request.params:
        return Scripted(body={"versions": [_version(2 * number + 1, published)], "meta": {"next_page": None}})
    body = {"versions": [_version(2 * number + 2, published)]}
    return Scripted(body=body | {"meta": {"total": 2, "next_page": "?per_page=100&seek=2"}})


def _version(number: int, published: str) -> dict[str, object]:
    return {"id": number, "num": f"0.{number}.0", "created_at": published, "yanked": False}
