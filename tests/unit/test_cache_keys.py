"""What a cached body depends on: each part changes its key, and nothing else does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from community_metrics.api.cache.database import DataKey
from community_metrics.api.cache.keys import CacheKey, cache_key
from community_metrics.api.cache.watch import TableState
from community_metrics.api.context import as_team
from community_metrics.model import Visibility
from tests.support.clock import NOON

TABLES = TableState(
    data=DataKey((("one", NOON),), ()),
    newest_run="one",
    seen_at=NOON,
)
CSV, JSON = "text/csv", "application/json"


def key_of(path: str, accept: str | None = None, query: bytes = b"") -> object:
    headers = [] if accept is None else [(b"accept", accept.encode())]
    scope = {"method": "GET", "path": f"/api/v1/{path}", "query_string": query, "headers": headers}
    return cache_key(scope)


@pytest.mark.parametrize(
    ("path", "by_minute"),
    [
        ("status", True),
        ("history", True),
        ("dashboard/weekly", False),
        ("series/x", False),
        ("definitions", False),
        ("restatements", False),
        ("insights", False),
        ("before-after", False),
        ("compare", False),
        ("goals", False),
        ("overview", False),
        ("digests/2026-W47.html", False),
        ("badge/x.svg", False),
        ("sparkline/x.svg", False),
        ("badge/x.json", False),
        ("chart/x.svg", False),
        ("chart.svg", False),
        ("metrics", False),
        ("preview", False),
        ("preview.png", False),
    ],
)
def test_only_the_routes_that_show_running_runs_change_with_the_minute(path: str, by_minute: bool) -> None:
    key = cache_key({"method": "GET", "path": f"/api/v1/{path}", "query_string": b"", "headers": []})
    assert key is not None
    assert key.by_minute is by_minute


@pytest.mark.parametrize(
    "path", ["health", "ready", "export/stats.csv", "docs", "openapi.json", "nothing", "preview.html"]
)
def test_any_other_route_has_no_key(path: str) -> None:
    assert key_of(path) is None


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (("series/x", CSV), ("series/x", JSON), False),
        (("series/x", None), ("series/x", JSON), True),
        (("series/x", "text/html"), ("series/x", JSON), True),
        (("status", CSV), ("status", JSON), True),
        (("series/x", None, b"grain=day"), ("series/x", None, b"grain=week"), False),
        (("series/x", None, b"a=1&b=2"), ("series/x", None, b"b=2&a=1"), True),
        (("series/x", None, b"excel=true"), ("series/x", None, b""), False),
        (("series/x", None), ("series/y", None), False),
    ],
)
def test_requests_share_a_body_if_they_differ_in_spelling_alone(
    one: tuple[str, ...], other: tuple[str, ...], equal: bool
) -> None:
    assert (key_of(*one) == key_of(*other)) is equal  # type: ignore[arg-type]  # three arguments in order


@pytest.mark.parametrize(
    ("changed", "hours", "body", "by_minute_body"),
    [
        ({}, 0.001, False, False),
        ({}, 0.02, False, True),
        ({"newest_run": "two"}, 0, False, True),
        ({"data": DataKey((("two", NOON),), ())}, 0, True, True),
        ({"data": DataKey((("one", NOON),), ("lost",))}, 0, True, True),
        ({}, 12, True, True),
        ({"seen_at": NOON + timedelta(hours=1)}, 0, False, False),
    ],
    ids=["4 s", "72 s", "a run starts", "a run ends", "a run is lost", "next day", "seen"],
)
def test_a_body_is_built_again_when_what_it_shows_has_changed(
    changed: dict[str, object], hours: float, body: bool, by_minute_body: bool
) -> None:
    fields = {name: getattr(TABLES, name) for name in ("data", "newest_run", "seen_at")}
    after, later = TableState(**{**fields, **changed}), NOON + timedelta(hours=hours)
    assert (after.key(later) != TABLES.key(NOON)) is body
    assert (after.key(later, by_minute=True) != TABLES.key(NOON, by_minute=True)) is by_minute_body


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/v1/status"), ("HEAD", "/api/v1/status"), ("GET", "/status"), ("POST", "/status")],
)
def test_only_a_get_below_the_prefix_has_a_key(method: str, path: str) -> None:
    assert cache_key({"method": method, "path": path, "query_string": b"", "headers": []}) is None


@pytest.mark.parametrize(
    ("path", "query", "key"),
    [
        ("series/x", b"", CacheKey("series", "/api/v1/series/x", "", "csv", Visibility.PUBLIC)),
        ("status", b"", CacheKey("status", "/api/v1/status", "", "", Visibility.PUBLIC)),
        (
            "status",
            b"b=&a=1&a=%C3%BC",
            CacheKey("status", "/api/v1/status", "a=1&a=%C3%BC&b=", "", Visibility.PUBLIC),
        ),
        ("status", b"a=\xe4", CacheKey("status", "/api/v1/status", "a=%C3%A4", "", Visibility.PUBLIC)),
    ],
)
def test_a_key_has_the_sorted_query_with_empty_values_and_the_format_of_a_series(
    path: str, query: bytes, key: CacheKey
) -> None:
    assert key_of(path, CSV, query) == key


def test_a_body_of_the_team_has_a_key_of_its_own() -> None:
    scope = {"method": "GET", "path": "/api/v1/status", "query_string": b"", "headers": []}
    team, everybody = cache_key(as_team(scope)), cache_key(scope)
    assert team is not None
    assert everybody is not None
    assert (team.viewer, everybody.viewer) == (Visibility.TEAM, Visibility.PUBLIC)
    assert team != everybody
