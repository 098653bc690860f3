"""What states events: feeds, Hacker News, and when versions of packages were published, made up.

Every package has the same versions; every second one is a preview. Every feed has the newest posts. Hacker
News finds what is asked for, and what is spelt like it.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from community_metrics.periods import ONE_DAY, days_between
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from datetime import date

    from tests.support.registry import Registry
    from tests.support.scripted import Request

_MOST_HITS = 1_000
_POSTS = 5
_HIGHEST = 5
_DAYS_BETWEEN_POSTS, _DAYS_BETWEEN_VERSIONS = 40, 81
_STORIES_FROM = timedelta(days=805)


def places(registry: Registry, parts: list[str], request: Request) -> Scripted | None:
    """Return the answer to a path of a feed or of Hacker News; None for any other."""
    match parts:
        case [*_, "feed.atom"]:
            return _file("application/atom+xml", _atom(posts(registry)))
        case [*_, "rss.xml"]:
            return _file("application/rss+xml", _rss(posts(registry)))
        case ["api", "v1", "search_by_date"]:
            return _stories(registry, request)
    return None


def packages(registry: Registry, parts: list[str], _request: Request) -> Scripted | None:
    """Return what PyPI, the registry of npm or deps.dev has of a package; None for any other path."""
    match parts:
        case ["v3", "systems", "pypi" | "npm" | "cargo" | "rubygems" | "nuget", "packages", _]:
            known = [
                {"versionKey": {"version": name}, "publishedAt": at, "isDefault": False}
                for name, at in versions(registry).items()
            ]
            return Scripted(body={"versions": [*known, {"versionKey": {"version": "99.0.0"}}]})
        case ["v3", "systems", _, "packages", _, "versions", _]:
            return Scripted(body={"links": []})
        case ["pypi", _, "json"]:
            files = {version: [{"upload_time_iso_8601": at}] for version, at in versions(registry).items()}
            return Scripted(body={"releases": {**files, "99.0.0": []}})
        case [package]:
            times = {"created": "2024-09-01T00:00:00.000Z", "modified": f"{registry.today}T00:00:00.000Z"}
            return Scripted(body={"name": package, "time": times | versions(registry)})
    return None


def versions(registry: Registry) -> dict[str, str]:
    """Return when each version was published, as registries write instants."""
    days = list(days_between(registry.first_day, registry.today - ONE_DAY))[::_DAYS_BETWEEN_VERSIONS]
    return {
        f"0.{number}.0{'-beta.1' if number % 2 else ''}": f"{day}T12:00:00.000Z"
        for number, day in enumerate(days)
    }


def crate_versions(registry: Registry) -> list[dict[str, Any]]:
    """Return the five highest versions of a crate."""
    return [
        {"id": number, "num": name, "created_at": at, "yanked": False}
        for number, (name, at) in enumerate(versions(registry).items())
    ][-_HIGHEST:]


def posts(registry: Registry) -> list[tuple[str, datetime]]:
    """Return the entries of a feed: their titles and instants, newest first."""
    days = list(days_between(registry.first_day, registry.today - ONE_DAY))[::_DAYS_BETWEEN_POSTS]
    usual = [(f"Post {number}", _noon(day)) for number, day in enumerate(days)]
    return sorted([*registry.posts, *usual], key=lambda post: post[1], reverse=True)[:_POSTS]


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _file(kind: str, text: str) -> Scripted:
    return Scripted(headers={"content-type": kind}, body_text=text)


def _atom(entries: list[tuple[str, datetime]]) -> str:
    rows = (
        f"<entry><id>urn:{title}</id><title>{title}</title><updated>{at.isoformat()}</updated>"
        f"<link rel='alternate' href='https://blog.example/{at.date()}'/></entry>"
        for title, at in entries
    )
    return f"<?xml version='1.0'?><feed xmlns='http://www.w3.org/2005/Atom'>{''.join(rows)}</feed>"


def _rss(entries: list[tuple[str, datetime]]) -> str:
    rows = (
        f"<item><guid>urn:{title}</guid><title>{title}</title><pubDate>{format_datetime(at)}</pubDate>"
        f"<link>https://blog.example/{at.date()}</link></item>"
        for title, at in entries
    )
    return (
        f"<?xml version='1.0'?><rss version='2.0'><channel><title>Blog</title>{''.join(rows)}</channel></rss>"
    )


def story(number: int, title: str, at: datetime, points: int | None, **fields: Any) -> dict[str, Any]:
    """Return one story as Hacker News's search returns it."""
    return {
        "objectID": str(number),
        "created_at": at.isoformat(),
        "created_at_i": int(at.timestamp()),
        "title": title,
        "url": f"https://site.example/{number}",
        "author": "someone",
        "points": points,
        "num_comments": 3,
        "story_text": None,
        "_tags": ["story", "author_someone", f"story_{number}"],
        **fields,
    }


def _stories(registry: Registry, request: Request) -> Scripted:
    text = request.params["query"]
    at = _noon(registry.first_day + _STORIES_FROM)
    usual = [
        story(41_000_001, f"{text}: a database", at, 120),
        story(41_000_002, f"{text[:-1]}e: something else", at + ONE_DAY, 300),
        story(41_000_003, f"Show HN: {text}", at + 2 * ONE_DAY, 1),
    ]
    first, last = (int(part.split("=")[-1].split("<")[-1]) for part in _bounds(request))
    found = [one for one in [*registry.stories, *usual] if first <= one["created_at_i"] < last]
    size, page = int(request.params["hitsPerPage"]), int(request.params["page"])
    shown = found[:_MOST_HITS][page * size : (page + 1) * size]
    pages = -(-min(len(found), _MOST_HITS) // size)
    return Scripted(
        body={"hits": shown, "nbHits": len(found), "page": page, "nbPages": pages, "hitsPerPage": size}
    )


def _bounds(request: Request) -> list[str]:
    return request.params["numericFilters"].split(",")
