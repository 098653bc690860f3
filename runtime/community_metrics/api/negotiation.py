"""The format of a response by the `Accept` header, and whether it may be compressed."""

from __future__ import annotations

from typing import Final

JSON: Final = "json"
CSV: Final = "csv"
OPENMETRICS: Final = "openmetrics"
TEXT: Final = "text"
_JSON_RANGES: Final = ("application/json", "application/*", "*/*")
_CSV_RANGES: Final = ("text/csv", "text/*", "*/*")
"""Media ranges that match each format, the most specific first: `application/json;q=0, */*` rejects JSON."""


def negotiated(accept: bytes | None) -> str:
    """Return the preferred format of an `Accept` header: JSON unless CSV has a higher quality.

    A header that accepts neither gets JSON as well, which helps more than a 406.
    """
    qualities = _qualities(accept or b"*/*")
    json_quality, csv_quality = (
        next((qualities[each] for each in ranges if each in qualities), 0.0)
        for ranges in (_JSON_RANGES, _CSV_RANGES)
    )
    return CSV if csv_quality > json_quality else JSON


def exposition_format(accept: bytes | None) -> str:
    """Return the preferred format of samples: OpenMetrics only where it is named, else the older text."""
    qualities = _qualities(accept or b"*/*")
    quality = qualities.get("application/openmetrics-text", 0.0)
    return OPENMETRICS if quality > 0 and quality >= qualities.get("text/plain", 0.0) else TEXT


def accepts_gzip(accept_encoding: bytes | None) -> bool:
    """Return whether an `Accept-Encoding` header allows gzip; without the header, no encoding is sent."""
    qualities = _qualities(accept_encoding or b"")
    return next((qualities[each] for each in ("gzip", "x-gzip", "*") if each in qualities), 0.0) > 0


def _qualities(header: bytes) -> dict[str, float]:
    """Return the quality of each item of the header, in lower case; the highest where one is repeated."""
    qualities: dict[str, float] = {}
    for item in header.decode("latin-1").split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        qualities[name] = max(qualities.get(name, 0.0), _quality(parameters))
    return qualities


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
