"""Which responses are served from memory, and under which key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

from community_metrics.api.context import PREFIX, header, viewer_of
from community_metrics.api.negotiation import exposition_format, negotiated

if TYPE_CHECKING:
    from starlette.types import Scope

    from community_metrics.model import Visibility

CACHED_ROUTES: Final = frozenset(
    {
        "status",
        "definitions",
        "dashboard",
        "overview",
        "series",
        "history",
        "restatements",
        "insights",
        "before-after",
        "compare",
        "goals",
        "outages",
        "digests",
        "traffic-items",
        "metrics",
        "badge",
        "sparkline",
        "chart",
        "chart.svg",
        "preview",
        "preview.png",
    }
)
"""First words of the routes that are served from memory, and so have a tag and a 304."""
_NEGOTIATED: Final = {"series": negotiated, "outages": negotiated, "metrics": exposition_format}
"""Routes whose format `Accept` decides, and how."""
_BY_MINUTE: Final = frozenset({"status", "history"})
"""Routes whose body has whether a run is abandoned, or how old the last success is."""


class CacheKey(NamedTuple):
    """Identifies a cached body; equal for requests that differ only in spelling."""

    route: str
    path: str
    query: str
    media_format: str
    """What `Accept` selects, on a route where it does; else empty."""
    viewer: Visibility
    """Who may get the body: it is never served to anybody else."""

    @property
    def by_minute(self) -> bool:
        """Whether the body changes with the minute."""
        return self.route in _BY_MINUTE


def cache_key(scope: Scope) -> CacheKey | None:
    """Return the key of a request for a cached route; None for any other request."""
    path: str = scope["path"]
    if scope["method"] != "GET" or not path.startswith(PREFIX):
        return None
    route = path[len(PREFIX) :].partition("/")[0]
    query: bytes = scope["query_string"]
    if route not in CACHED_ROUTES:
        return None
    choose = _NEGOTIATED.get(route)
    media_format = choose(header(scope["headers"], b"accept")) if choose else ""
    parts = parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else ()
    canonical = urlencode(sorted(parts)) if parts else ""
    return CacheKey(route, path, canonical, media_format, viewer_of(scope))
