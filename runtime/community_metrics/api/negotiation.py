"""The format of a response, JSON or CSV, by the `Accept` header."""

from __future__ import annotations

from typing import Final

JSON: Final = "json"
CSV: Final = "csv"
_JSON_RANGES: Final = ("application/json", "application/*", "*/*")
_CSV_RANGES: Final = ("text/csv", "text/*", "*/*")
"""Media ranges that match each format, the most specific first: `application/json;q=0, */*` rejects JSON."""


def negotiated(accept: bytes | None) -> str:
    """Return the preferred format of an `Accept` header: JSON unless CSV has a higher quality.

    A header that accepts neither gets JSON as well, which helps more than a 406.
    """
    qualities: dict[str, float] = {}
    for media_range in (accept or b"*/*").decode("latin-1").split(","):
        media_type, *parameters = (part.strip().lower() for part in media_range.split(";"))
        qualities[media_type] = max(qualities.get(media_type, 0.0), _quality(parameters))
    json_quality, csv_quality = (
        next((qualities[each] for each in ranges if each in qualities), 0.0)
        for ranges in (_JSON_RANGES, _CSV_RANGES)
    )
    return CSV if csv_quality > json_quality else JSON


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
