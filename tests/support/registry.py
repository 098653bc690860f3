"""Whole registries made up from a seed: every package, crate and repository has a value for every day.

Only the shapes are those of the real ones. `Registry.value` says what a test should find stored. Names that
begin with `no-such` are unknown everywhere.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from community_metrics.periods import ONE_DAY, days_between
from tests.support.registries import OTHERS, clickpy, github, happenings
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.scripted import Request

PYPI, NPM, CRATES, STARS = "pypistats", "npm", "crates", "github-history"
_SENTINELS = {"__all__": 2_000_000_000, "registry total": 15_000_000_000, "serde": 3_000_000} | dict.fromkeys(
    clickpy.SENTINELS, 9_000_000
)
_WEEKEND = 0.4
_ALIAS = re.compile(r'(\w+):\s*repository\(owner:"([^"]+)",\s*name:"([^"]+)"\)')
_TODAY_SO_FAR = 0.3


@dataclass
class Registry:
    """Answers for all hosts, those of `registries` in files of their own.

    `today` may be moved on between runs. `overrides` replaces single values by (source, subject, day); None
    makes the day one that was not counted. `renamed` maps old repositories to new ones, `numbers` gives a
    repository another number than its own: it belongs to somebody else now. `first_day` is when everything
    was published. `usual` sets the usual value of a day by (source, subject). `hidden_traffic` has the
    repositories whose traffic the token may not read, `removed_assets` the ids of deleted release assets.
    `archived` are the crates with rows in the archive; `clickpy_until` is the last day that ClickPy has, None
    for yesterday, `clickpy_factor` how its counts differ from pypistats', and `clickpy_overrides` those of
    single days.
    `posts` are more entries of every feed, `stories` more stories of Hacker News, in its own shape.
    """

    today: date
    seed: int = 0
    first_day: date = date(2024, 9, 1)
    usual: dict[tuple[str, str], int] = field(default_factory=dict)
    overrides: dict[tuple[str, str, date], int | None] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    repositories: dict[int, str] = field(default_factory=dict)
    posts: list[tuple[str, datetime]] = field(default_factory=list)
    stories: list[dict[str, Any]] = field(default_factory=list)
    archived: tuple[str, ...] = ()
    clickpy_until: date | None = None
    clickpy_factor: float = 1.0
    clickpy_overrides: dict[date, int] = field(default_factory=dict)
    hidden_traffic: set[str] = field(default_factory=set)
    removed_assets: set[int] = field(default_factory=set)

    def value(self, source: str, subject: str, day: date) -> int | None:
        """Return what `source` counts for a subject on a day; None when it does not know the day."""
        if (source, subject, day) in self.overrides:
            return self.overrides[source, subject, day]
        if day < self.first_day or day > self.today:
            return None
        size = (
            _SENTINELS.get(subject)
            or self.usual.get((source, subject))
            or 20 + self.noise(source, subject) % (40 if source == STARS else 40_000)
        )
        shape = (_WEEKEND if day.isoweekday() > 5 else 1.0) * (1 if day < self.today else _TODAY_SO_FAR)
        spread = 20 if subject in _SENTINELS else 200  # what everybody downloads together is steady
        noise = self.noise(source, subject, day) % spread / 1000
        return int(size * shape * (1 - spread / 2000 + noise))

    def repository_id(self, full_name: str) -> int:
        """Return the number of a repository; remembered, so that `/repositories/<id>` is served as well."""
        number = self.numbers.get(full_name, 100_000_000 + self.noise("id", full_name) % 900_000_000)
        self.repositories[number] = full_name
        return number

    def stars(self, full_name: str) -> int:
        """Return how many stars a repository has now."""
        days = days_between(self.first_day, self.today)
        return sum(self.value(STARS, full_name, day) or 0 for day in days)

    def answer(self, request: Request) -> Scripted:  # noqa: PLR0911  a table of routes
        """Return what the registry that this path belongs to would say."""
        parts = [unquote(part) for part in request.path.strip("/").split("/")]
        match parts:
            case _ if not request.headers.get("user-agent"):
                return Scripted(403, body={"errors": [{"detail": "User-Agent is required"}]})
            case _ if any("no-such" in part for part in parts):
                return Scripted(404, body={"message": "Not Found"})
            case ["api", "packages", package, "overall"]:
                return self._pypistats(package)
            case ["downloads", "range", period, *name]:
                return self._npm(period, "/".join(name) or None)
            case ["api", "v1", "crates", crate, "downloads"]:
                return self._crates(crate, request)
            case [""] if request.method == "POST":
                return clickpy.answer(self, request)
            case ["graphql"]:
                return self._graphql(request)
            case ["repos", owner, name, *rest]:
                return self._repository(f"{owner}/{name}", rest, request)
            case ["repositories", number, *rest]:
                return self._repository(self.repositories[int(number)], rest, request)
        answers = (answer(self, parts, request) for answer in OTHERS)
        return next(filter(None, answers), Scripted(404, body={"message": "nothing is served here"}))

    def _pypistats(self, package: str) -> Scripted:
        rows = []
        for category, factor in (("with_mirrors", 1.02), ("without_mirrors", 1.0)):
            for day, value in self._days(
                PYPI, package, self.today - timedelta(days=181), self.today - ONE_DAY
            ):
                rows.append({"category": category, "date": day.isoformat(), "downloads": int(value * factor)})
        return Scripted(body={"data": rows, "package": package, "type": "overall_downloads"})

    def _npm(self, period: str, package: str | None) -> Scripted:
        first, last = (date.fromisoformat(end) for end in period.split(":"))
        oldest = self.today - timedelta(days=548)  # of a range that reaches until lately
        first = max(first, oldest if last >= oldest else date(2015, 1, 10))
        known = dict(self._days(NPM, package or "registry total", first, min(last, self.today - ONE_DAY)))
        rows = [{"downloads": known.get(day, 0), "day": day.isoformat()} for day in days_between(first, last)]
        echo = {} if package is None else {"package": package}
        return Scripted(body={"downloads": rows, "start": f"{first}", "end": f"{last}", **echo})

    def _crates(self, crate: str, request: Request) -> Scripted:
        listed, extra = [], []
        for day, value in self._days(CRATES, crate, self.today - timedelta(days=89), self.today):
            newer, older = value * 3 // 5, value // 5
            listed.append({"version": 2, "downloads": newer, "date": day.isoformat()})
            listed.append({"version": 1, "downloads": older, "date": day.isoformat()})
            extra.append({"date": day.isoformat(), "downloads": value - newer - older})
        asked = request.params.get("include") == "versions"
        versions = {"versions": happenings.crate_versions(self)} if asked else {}
        return Scripted(body={"version_downloads": listed, "meta": {"extra_downloads": extra}, **versions})

    def _graphql(self, request: Request) -> Scripted:
        if "authorization" not in request.headers:
            return Scripted(401, body={"message": "Requires authentication", "status": "401"})
        data: dict[str, Any] = {"rateLimit": {"cost": 1, "remaining": 4999}}
        errors = []
        for alias, owner, name in _ALIAS.findall(json.loads(request.body)["query"]):
            full_name = self.renamed.get(f"{owner}/{name}", f"{owner}/{name}")
            data[alias] = None if "no-such" in full_name else self._node(full_name)
            if data[alias] is None:
                errors.append({"type": "NOT_FOUND", "path": [alias], "message": f"no {full_name}"})
        return Scripted(body={"data": data, **({"errors": errors} if errors else {})})

    def _node(self, full_name: str) -> dict[str, Any]:
        number, stars = self.repository_id(full_name), self.stars(full_name)
        own = {"databaseId": number, "nameWithOwner": full_name, "stargazerCount": stars}
        return own | github.node(self, full_name)

    def _repository(self, full_name: str, rest: list[str], request: Request) -> Scripted:
        if full_name in self.renamed:
            number = self.repository_id(self.renamed[full_name])
            target = "/".join([f"https://api.github.com/repositories/{number}", *rest])
            return Scripted(301, {"location": target + request.query}, body={"url": target})
        number = self.repository_id(full_name)
        if rest == ["stargazers", "history"]:
            return self._history(full_name, number, int(request.params.get("page", "1")))
        return github.repository(self, full_name, rest, request)

    def _history(self, full_name: str, number: int, page: int) -> Scripted:
        newest = self.today - timedelta(days=self.today.isoweekday() % 7)
        weeks = [newest - timedelta(weeks=n) for n in range((newest - self.first_day).days // 7 + 2)]
        shown = weeks[(page - 1) * 30 : page * 30]
        link = (
            f"<https://api.github.com/repositories/{number}/stargazers/history?per_page=30&page={page + 1}>"
        )
        headers = {"link": f'{link}; rel="next"'} if weeks[page * 30 :] else {}
        return Scripted(headers=headers, body=[self._week(full_name, sunday) for sunday in shown])

    def _week(self, full_name: str, sunday: date) -> dict[str, Any]:
        days = [self.value(STARS, full_name, sunday + offset * ONE_DAY) or 0 for offset in range(7)]
        start = datetime(sunday.year, sunday.month, sunday.day, tzinfo=UTC)
        return {"week": int(start.timestamp()), "total": sum(days), "days": days}

    def _days(self, source: str, subject: str, first: date, last: date) -> Iterator[tuple[date, int]]:
        for day in days_between(first, last):
            value = self.value(source, subject, day)
            if value is not None:
                yield day, value

    def noise(self, *parts: object) -> int:
        text = "|".join(str(part) for part in (self.seed, *parts))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big")
