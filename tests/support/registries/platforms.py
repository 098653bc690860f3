"""Docker Hub, Hugging Face, DuckDB's extensions, anaconda.org and Homebrew, made up from a registry's days.

A total grows by the value of each day, a rolling one is the sum of its last days. An override of today is
what the registry states today: a reset, a 0, or with None a key that the answer does not have.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from community_metrics.periods import ONE_DAY, days_between
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from tests.support.registry import Registry
    from tests.support.scripted import Request

DOCKER, HUGGING_FACE, LIKES, DUCKDB = "docker", "huggingface", "huggingface-likes", "duckdb-extensions"
CONDA, HOMEBREW = "conda", "homebrew"
EVERY_EXTENSION = "every extension"
"""An override of this subject with None: DuckDB wrote no file on that day."""
_LISTED = ("httpfs", "json", "lance")
_WINDOWS = {"30d": 30, "90d": 90, "365d": 365}
_LIMIT = {"ratelimit": '"api";r=499;t=300', "ratelimit-policy": '"fixed window";"api";q=500;w=300'}


def answer(registry: Registry, parts: list[str], request: Request) -> Scripted | None:
    """Return the answer to a path of one of these registries; None for any other."""
    match parts:
        case ["v2", "repositories", namespace, name]:
            return _image(registry, namespace, name)
        case ["api", "models" | "datasets" as kind, owner, name]:
            return _hugging_face(registry, kind, f"{owner}/{name}", request)
        case ["download-stats-weekly", year, file]:
            return _weekly_file(registry, int(year), int(file.removesuffix(".json")))
        case ["package", channel, name]:
            return _conda(registry, channel, name)
        case ["api", "formula" | "cask" as kind, file]:
            return _homebrew(registry, kind, file.removesuffix(".json"))
    return None


def total(registry: Registry, source: str, subject: str, days: int | None = None) -> int | None:
    """Return what the registry states today: the sum of the last `days`, or of all since the beginning."""
    if (source, subject, registry.today) in registry.overrides:
        return registry.overrides[source, subject, registry.today]
    first = registry.first_day if days is None else registry.today - timedelta(days=days)
    return _sum(registry, source, subject, first, registry.today - ONE_DAY)


def week_total(registry: Registry, extension: str, written: date) -> int | None:
    """Return the downloads of the seven days before `written`; an override of that day counts instead."""
    if (DUCKDB, extension, written) in registry.overrides:
        return registry.overrides[DUCKDB, extension, written]
    return _sum(registry, DUCKDB, extension, written - timedelta(days=7), written - ONE_DAY)


def _sum(registry: Registry, source: str, subject: str, first: date, last: date) -> int:
    return sum(registry.value(source, subject, day) or 0 for day in days_between(first, last))


def _image(registry: Registry, namespace: str, name: str) -> Scripted:
    pulls = total(registry, DOCKER, f"{namespace}/{name}")
    known = {} if pulls is None else {"pull_count": pulls}
    return Scripted(body={"namespace": namespace, "name": name, "star_count": 1, **known})


def _hugging_face(registry: Registry, kind: str, name: str, request: Request) -> Scripted:
    subject = f"datasets/{name}" if kind == "datasets" else name
    fields = {
        "downloads": total(registry, HUGGING_FACE, subject, 30),
        "likes": total(registry, LIKES, subject, 9),
        "downloadsAllTime": 10**12,
    }
    asked = request.params.get("expand[]", "")
    known = {key: value for key, value in fields.items() if key == asked and value is not None}
    return Scripted(headers=_LIMIT, body={"_id": "0", "id": name, **known})


def _weekly_file(registry: Registry, year: int, week: int) -> Scripted:
    """Return what the last writing under this name left: the name has the calendar year and the ISO week."""
    nearby = days_between(date(year, 1, 1), min(date(year, 12, 31), registry.today))
    writings = [day for day in nearby if day.isocalendar().week == week]
    lost = {
        day for source, subject, day in registry.overrides if (source, subject) == (DUCKDB, EVERY_EXTENSION)
    }
    written = max((day for day in writings if day not in lost), default=None)
    if written is None:
        return Scripted(404, body_text="<html><body>404</body></html>")
    names = {*_LISTED, *(name for source, name in registry.usual if source == DUCKDB)}
    counts = {name: week_total(registry, name, written) for name in sorted(names)}
    listed = {name: count for name, count in counts.items() if count}
    return Scripted(body={"_last_update": f"{written}T04:00:21.114Z", **listed})


def _conda(registry: Registry, channel: str, name: str) -> Scripted:
    count = total(registry, CONDA, f"{channel}/{name}")
    parts = [] if count is None else [count // 2, count // 3, count - count // 2 - count // 3]
    files: list[dict[str, Any]] = [
        {"basename": f"noarch/{name}-0.{n}.0-0.conda", "ndownloads": part} for n, part in enumerate(parts)
    ]
    return Scripted(body={"name": name, "files": files})


def _homebrew(registry: Registry, kind: str, name: str) -> Scripted:
    subject = f"cask/{name}" if kind == "cask" else name
    install: dict[str, dict[str, int]] = {}
    for window, days in _WINDOWS.items():
        count = total(registry, HOMEBREW if days == 30 else f"{HOMEBREW}-{window}", subject, days)
        install[window] = {f"{name} --HEAD": 3} | ({} if count is None else {name: count})
    named = {"token": name, "name": [name.title()]} if kind == "cask" else {"name": name}
    generated = {"generated_date": registry.today.isoformat()}
    return Scripted(body={**named, "analytics": {"install": install}, **generated})
