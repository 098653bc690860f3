"""A catalogue file as written: its entries, their lines, and the message for each invalid field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import ValidationError

from community_metrics.catalog.deliveries import Delivery, DigestGrain
from community_metrics.catalog.entries import Entry, Metric, Product
from community_metrics.catalog.event_entries import Feed, Mention
from community_metrics.catalog.goals import Goal
from community_metrics.catalog.toml_lines import HEADER, entry_lines
from community_metrics.model import (
    MailService,
    SourceWindow,
    TargetKind,
    ValueKind,
    Visibility,
    WebhookFormat,
    Witness,
)
from community_metrics.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from enum import StrEnum

    from pydantic_core import ErrorDetails

Fault: TypeAlias = tuple[int, str]
"""The line (0 if unknown) and the message."""
MODELS: Mapping[str, type[Entry]] = {
    "product": Product,
    "metric": Metric,
    "feed": Feed,
    "mention": Mention,
    "goal": Goal,
    "delivery": Delivery,
}
NAME = "name"
"""The setting at the top of a file: what the page calls all products together."""
_LONGEST_NAME = 80
_WORDS: Mapping[str, type[StrEnum]] = {
    "window": SourceWindow,
    "kind": ValueKind,
    "visibility": Visibility,
    "witness": Witness,
    "to": TargetKind,
    "via": MailService,
    "format": WebhookFormat,
    "digests": DigestGrain,
}
_TYPES = {
    "active": "true or false",
    "watch": "true or false",
    "options": "a table such as { mirrors = false }",
    "fallbacks": "a list of strings",
    "least_points": "a whole number, at least 1",
    "value": "a whole number from 1 to 10^13, such as 1_000_000",
    "date": "a day without quotes, such as 2027-12-31",
    "digests": 'a list, such as ["week", "month"]',
    "products": "a list of ids of products",
    "receivers": "a list of e-mail addresses",
    "since": "a day without quotes, such as 2027-01-01",
}


@dataclass(frozen=True, slots=True)
class RawEntry:
    """One entry, such as a `[[metric]]`, as written; `number` counts from 1, unknown lines are left out."""

    kind: str
    number: int
    raw: Mapping[str, Any]
    lines: Mapping[str, int]
    errors: Mapping[str, str]

    @property
    def id(self) -> str | None:
        """The id, even if it is malformed: other entries may refer to it."""
        value = self.raw.get("id")
        return value if isinstance(value, str) and value.strip() else None

    @property
    def name(self) -> str:
        """The id, or the number if there is no id."""
        return self.id or f"number {self.number}"

    @property
    def place(self) -> str:
        """The line of the header, or the number if the line is unknown."""
        return f"line {self.lines[HEADER]}" if self.lines else f"entry number {self.number}"

    def get(self, field: str) -> Any:
        """Return the value of a field; None if the field is absent or invalid."""
        return None if field in self.errors else self.raw.get(field)

    def fault(self, field: str, message: str) -> Fault:
        """Return a fault whose message starts with the line, the entry and the field."""
        line = self.lines.get(field, self.lines.get(HEADER, 0))
        place = f"line {line}, " if line else ""
        return line, f"{place}{self.kind} {self.name}, {field}: {message}"


def top_level_faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield one fault for each key of the file that is neither its name nor a list of entries."""
    for name, value in sorted(document.items()):
        if name == NAME:
            if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_NAME:
                yield 0, f"{NAME!r} must be a text of 1 to {_LONGEST_NAME} characters"
        elif name not in MODELS:
            yield 0, f"{name!r} is not a part of a catalogue; {suggestion(name, [NAME, *MODELS])}"
        elif not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            yield 0, f"{name!r} must be written as [[{name}]] entries"


def read_entries(kind: str, document: Mapping[str, Any], text: str) -> list[RawEntry]:
    """Return the `[[kind]]` entries of a document, whose text gives their lines."""
    value = document.get(kind)
    raws = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    lines = entry_lines(text).get(kind, [])
    if len(lines) != len(raws):  # inline entries have no headers: no line is better than a wrong one
        lines = [{}] * len(raws)
    return [
        RawEntry(kind, number, raw, places, _errors(kind, raw))
        for number, (raw, places) in enumerate(zip(raws, lines, strict=True), 1)
    ]


def _errors(kind: str, raw: Mapping[str, Any]) -> dict[str, str]:
    """Return one message for each invalid field, whatever the number of its errors."""
    try:
        MODELS[kind].model_validate(raw)
    except ValidationError as error:
        return {str(item["loc"][0]): _message(kind, item) for item in error.errors()}
    return {}


def _message(kind: str, error: ErrorDetails) -> str:
    field = str(error["loc"][0])
    match error["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            known = [item.alias or name for name, item in MODELS[kind].model_fields.items()]
            return f"is not a field of [[{kind}]]; {suggestion(field, known)}"
        case "value_error":
            return error["msg"].removeprefix("Value error, ")
        case "enum":
            return f"{error['input']!r} is not one of {', '.join(_WORDS[field])}"
        case _:
            return f"must be {_TYPES.get(field, 'a string')}"
