"""What the API keeps in and reads from the ASGI scope of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from community_metrics.model import Visibility

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping
    from datetime import datetime

PREFIX: Final = "/api/v1/"
PARQUET: Final = "application/vnd.apache.parquet"
_NOW: Final = "community_metrics.now"
_VIEWER: Final = "community_metrics.viewer"

RawHeaders = list[tuple[bytes, bytes]]


def with_now(scope: MutableMapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return a copy of the scope that carries the instant the body is built for."""
    return {**scope, _NOW: now}


def now_of(scope: MutableMapping[str, Any]) -> datetime:
    """Return the instant the body is built for; the cache key was computed from the same instant."""
    now: datetime = scope[_NOW]
    return now


def as_team(scope: MutableMapping[str, Any]) -> dict[str, Any]:
    """Return a copy of the scope of a request with an accepted token."""
    return {**scope, _VIEWER: Visibility.TEAM}


def viewer_of(scope: MutableMapping[str, Any]) -> Visibility:
    """Return what the sender of the request may see: what is public, unless its token was accepted."""
    viewer: Visibility = scope.get(_VIEWER, Visibility.PUBLIC)
    return viewer


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """Return the value of a request header, repeated lines joined by commas; `name` is in lower case."""
    values = [value for key, value in headers if key == name]
    if len(values) < 2:  # noqa: PLR2004  nearly always one line or none
        return values[0] if values else None
    return b", ".join(values)
