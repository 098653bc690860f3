"""JSON or CSV: what `?format=` or `Accept` asks for."""

from __future__ import annotations

from typing import Final

JSON: Final = "json"
CSV: Final = "csv"
_MEDIA_TYPES: Final = {
    "application/json": JSON,
    "text/csv": CSV,
    "application/*": JSON,
    "text/*": CSV,
    "*/*": JSON,
}


def negotiated(accept: bytes | None) -> str:
    """Return the format that an `Accept` header likes best: JSON unless CSV is liked better.

    A header that names neither gets JSON as well: an answer in a form nobody asked for helps more than a 406.
    """
    liked = {JSON: 0.0, CSV: 0.0}
    for offer in (accept or b"*/*").decode("latin-1").split(","):
        media_type, *parameters = (part.strip().lower() for part in offer.split(";"))
        known = _MEDIA_TYPES.get(media_type)
        if known is not None:
            liked[known] = max(liked[known], _quality(parameters))
    return CSV if liked[CSV] > liked[JSON] else JSON


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
