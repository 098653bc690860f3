"""JSON or CSV: what `?format=` or `Accept` asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON: Final = "json"
CSV: Final = "csv"
_RANGES: Final = {
    JSON: ("application/json", "application/*", "*/*"),
    CSV: ("text/csv", "text/*", "*/*"),
}
"""What may ask for each form, the most exact first: `application/json;q=0, */*` is no wish for JSON."""


def negotiated(accept: bytes | None) -> str:
    """Return the format that an `Accept` header likes best: JSON unless CSV is liked better.

    A header that names neither gets JSON as well: an answer in a form nobody asked for helps more than a 406.
    """
    offers: dict[str, float] = {}
    for offer in (accept or b"*/*").decode("latin-1").split(","):
        media_type, *parameters = (part.strip().lower() for part in offer.split(";"))
        offers[media_type] = max(offers.get(media_type, 0.0), _quality(parameters))
    return CSV if _liked(CSV, offers) > _liked(JSON, offers) else JSON


def _liked(form: str, offers: Mapping[str, float]) -> float:
    return next((offers[each] for each in _RANGES[form] if each in offers), 0.0)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
