"""RubyGems, NuGet, Packagist and Open VSX: totals that grow by the day.

`total` says what a test should find stored. The total of a subject whose name has `reset` begins anew with
each month; one with `limited` gets a 429. NuGet states the total as it was on Sunday.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from community_metrics.periods import days_between
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from datetime import date

    from tests.support.registry import Registry
    from tests.support.scripted import Request

_LIMITED = "limited"
_OTHER_APIS = {"formula", "cask", "models", "datasets", "packages"}  # paths of other hosts on this port
_SEARCH = "https://azuresearch-usnc.nuget.org/query"


def total(registry: Registry, source: str, subject: str, until: date | None = None) -> int:
    """Return what was downloaded in all until the end of a day, by default today so far."""
    last = until or registry.today
    first = last.replace(day=1) if "reset" in subject else registry.first_day
    return sum(registry.value(source, subject, day) or 0 for day in days_between(first, last))


def last_30_days(registry: Registry, source: str, subject: str) -> int:
    days = days_between(registry.today - timedelta(days=29), registry.today)
    return sum(registry.value(source, subject, day) or 0 for day in days)


def last_sunday(registry: Registry) -> date:
    return registry.today - timedelta(days=registry.today.isoweekday())


def answer(registry: Registry, parts: list[str], request: Request) -> Scripted | None:
    match parts:
        case ["api", "v1", "gems", file]:
            gem = file.removesuffix(".json")
            return _body(gem, {"name": gem, "downloads": total(registry, "rubygems", gem)})
        case ["v3", "index.json"]:
            return Scripted(body={"resources": [{"@id": _SEARCH, "@type": "SearchQueryService"}]})
        case ["query"]:
            return _nuget(registry, request.params["q"].removeprefix("packageid:"))
        case ["packages", vendor, file]:
            return _packagist(registry, f"{vendor}/{file.removesuffix('.json')}")
        case ["api", namespace, name] if namespace not in _OTHER_APIS:
            count = total(registry, "open-vsx", f"{namespace}/{name}")
            return _body(name, {"namespace": namespace, "name": name, "downloadCount": count})
    return None


def _nuget(registry: Registry, package: str) -> Scripted:
    count = total(registry, "nuget", package, last_sunday(registry))
    hits = [] if "no-such" in package else [{"id": package, "totalDownloads": count}]
    return _body(package, {"totalHits": len(hits), "data": hits})


def _packagist(registry: Registry, package: str) -> Scripted:
    downloads = {
        "total": total(registry, "packagist", package),
        "monthly": last_30_days(registry, "packagist", package),
    }
    return _body(package, {"package": {"name": package, "downloads": downloads}})


def _body(subject: str, body: dict[str, Any]) -> Scripted:
    return Scripted(429, body={"message": "slow down"}) if _LIMITED in subject else Scripted(body=body)
