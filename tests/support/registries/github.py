"""GitHub's answers about a repository, beside its stars: levels, traffic, releases. All of it is made up."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from community_metrics.periods import ONE_DAY, days_between
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from datetime import date

    from tests.support.registry import Registry
    from tests.support.scripted import Request

FORKS, WATCHERS, ISSUES, PULLS = "forks", "watchers", "open_issues", "open_pull_requests"
VIEWS, CLONES = "views", "clones"
RELEASE_DOWNLOADS = "release_downloads"
_LEVELS = {FORKS: 900, WATCHERS: 60, ISSUES: 250, PULLS: 40}
_TRAFFIC_DAYS = 14
_DAYS_BETWEEN_RELEASES = 20
_REFERRERS = ("github.com", "Google", "news.ycombinator.com", "lancedb.com", "reddit.com", "Bing", "t.co")


def level(registry: Registry, count: str, full_name: str) -> int:
    """Return one of the levels of a repository today."""
    if (count, full_name, registry.today) in registry.overrides:
        return registry.overrides[count, full_name, registry.today] or 0
    usual = registry.usual.get((count, full_name), _LEVELS[count])
    return usual + registry.noise(count, full_name, registry.today) % (1 + usual // 10)


def node(registry: Registry, full_name: str) -> dict[str, Any]:
    """Return the levels of a repository as GraphQL writes them."""
    levels = {count: level(registry, count, full_name) for count in _LEVELS}
    return {
        "forkCount": levels[FORKS],
        "watchers": {"totalCount": levels[WATCHERS]},
        "issues": {"totalCount": levels[ISSUES]},
        "pullRequests": {"totalCount": levels[PULLS]},
    }


def answer(registry: Registry, parts: list[str], request: Request) -> Scripted | None:
    """Answer for the repositories of an owner: one, which has the name of its owner."""
    match parts:
        case ["users", owner, "repos"]:
            return Scripted(body=[_listed(registry, owner)])
    return None


def _listed(registry: Registry, owner: str) -> dict[str, Any]:
    return {
        **_counts(registry, f"{owner}/{owner}"),
        "name": owner,
        "owner": {"login": owner, "type": "Organization"},
        "fork": False,
        "archived": False,
        "default_branch": "main",
    }


def _files(full_name: str, rest: list[str]) -> Scripted:
    """Return the files of a repository: a package of PyPI that has its name."""
    text = f'[project]\nname = "{full_name.partition("/")[2]}"\n'
    match rest:
        case ["trees", _]:
            entry = {"path": "pyproject.toml", "mode": "100644", "type": "blob", "sha": "a" * 40}
            return Scripted(body={"tree": [{**entry, "size": len(text)}], "truncated": False})
        case _:
            content = base64.encodebytes(text.encode()).decode()
            return Scripted(body={"content": content, "encoding": "base64", "size": len(text)})


def repository(registry: Registry, full_name: str, rest: list[str], request: Request) -> Scripted:
    """Answer what is asked of a repository that has this name."""
    match rest:
        case []:
            return _whole(registry, full_name)
        case ["git", *what]:
            return _files(full_name, what)
        case ["pulls"]:
            return _pulls(registry, full_name)
        case ["traffic", *what]:
            return _traffic(registry, full_name, what, request)
        case ["releases"]:
            return _releases(registry, full_name, request)
    return Scripted(404, body={"message": "Not Found"})


def _whole(registry: Registry, full_name: str) -> Scripted:
    return Scripted(body=_counts(registry, full_name))


def _counts(registry: Registry, full_name: str) -> dict[str, Any]:
    levels, stars = {count: level(registry, count, full_name) for count in _LEVELS}, registry.stars(full_name)
    counts = {
        "stargazers_count": stars,
        "watchers_count": stars,
        "forks_count": levels[FORKS],
        "subscribers_count": levels[WATCHERS],
        "open_issues_count": levels[ISSUES] + levels[PULLS],
    }
    return {"id": registry.repository_id(full_name), "full_name": full_name, **counts}


def _pulls(registry: Registry, full_name: str) -> Scripted:
    count = level(registry, PULLS, full_name)
    address = f"https://api.github.com/repositories/{registry.repository_id(full_name)}/pulls?state=open"
    link = f'<{address}&per_page=1&page=2>; rel="next", <{address}&per_page=1&page={count}>; rel="last"'
    return Scripted(headers={"link": link} if count > 1 else {}, body=[{"number": 7}] if count else [])


def _traffic(registry: Registry, full_name: str, what: list[str], request: Request) -> Scripted:
    if "authorization" not in request.headers or full_name in registry.hidden_traffic:
        return Scripted(403, body={"message": "Must have push access to repository", "status": "403"})
    match what:
        case ["views"]:
            return _days(registry, full_name, VIEWS)
        case ["clones"]:
            return _days(registry, full_name, CLONES)
        case ["popular", "referrers"]:
            return Scripted(body=referrers(registry, full_name))
        case ["popular", "paths"]:
            return Scripted(body=paths(registry, full_name))
    return Scripted(404, body={"message": "Not Found"})


def uniques(registry: Registry, count: str, full_name: str, day: date) -> int | None:
    """Return how many different visitors a repository had on a day."""
    total = registry.value(count, full_name, day)
    return None if total is None else -(-total * 2 // 5)


def _days(registry: Registry, full_name: str, count: str) -> Scripted:
    """Return the last 14 days and today; a day without any has no row."""
    rows: list[dict[str, Any]] = []
    for day in days_between(registry.today - _TRAFFIC_DAYS * ONE_DAY, registry.today):
        if total := registry.value(count, full_name, day):
            row = {"count": total, "uniques": uniques(registry, count, full_name, day)}
            rows.append({"timestamp": f"{day}T00:00:00Z", **row})
    totals = {name: sum(row[name] for row in rows) for name in ("count", "uniques")}
    return Scripted(body={**totals, count: rows})


def referrers(registry: Registry, full_name: str) -> list[dict[str, Any]]:
    """Return the sites of today's list, most visits first."""
    rows = [(registry.noise(name, full_name, registry.today) % 900 + 10, name) for name in _REFERRERS]
    return [
        {"referrer": name, "count": count, "uniques": count // 3 + 1} for count, name in sorted(rows)[::-1]
    ]


def paths(registry: Registry, full_name: str) -> list[dict[str, Any]]:
    """Return the ten pages of today's list, most visits first."""
    names = [f"/{full_name}", *(f"/{full_name}/tree/main/docs/{number}" for number in range(9))]
    rows = [(registry.noise(name, registry.today) % 900 + 10, name) for name in names]
    return [
        {"path": name, "title": f"Page {name}", "count": count, "uniques": count // 3 + 1}
        for count, name in sorted(rows)[::-1]
    ]


def asset_downloads(registry: Registry, full_name: str) -> dict[int, int]:
    """Return the downloads of each asset that is there, by its id; two for each release, older ones first."""
    found: dict[int, int] = {}
    for number, published in enumerate(_published(registry)):
        # the same number each day: to make up each day of 100 releases takes longer than a request may
        a_day = 1 + registry.noise(RELEASE_DOWNLOADS, f"{full_name}@{number}") % 40
        total = a_day * ((registry.today - published).days + 1)
        base = registry.repository_id(full_name) + 10 * number
        found |= {base + 1: total, base + 2: total // 7}
    return {asset: count for asset, count in found.items() if asset not in registry.removed_assets}


def _published(registry: Registry) -> list[date]:
    return list(days_between(registry.first_day, registry.today))[::_DAYS_BETWEEN_RELEASES]


def _releases(registry: Registry, full_name: str, request: Request) -> Scripted:
    size, page = int(request.params["per_page"]), int(request.params.get("page", "1"))
    number, counts = registry.repository_id(full_name), asset_downloads(registry, full_name)
    releases = [
        {
            "id": number + 10 * index,
            "tag_name": f"v0.{index}.0",
            "name": None,
            "draft": False,
            "prerelease": index % 2 == 1,
            "html_url": f"https://github.com/{full_name}/releases/tag/v0.{index}.0",
            "published_at": f"{published}T12:00:00Z",
            "author": {"login": "someone"},
            "assets": [
                {
                    "id": asset,
                    "name": f"asset-{asset}.tar.gz",
                    "download_count": counts[asset],
                    "uploader": {"login": "someone"},
                }
                for asset in (number + 10 * index + 1, number + 10 * index + 2)
                if asset in counts
            ],
        }
        for index, published in enumerate(_published(registry))
    ][::-1]
    link = f"<https://api.github.com/repositories/{number}/releases?per_page={size}&page={page + 1}>"
    headers = {"link": f'{link}; rel="next"'} if releases[page * size :] else {}
    return Scripted(headers=headers, body=releases[(page - 1) * size : page * size])
