"""The fields of a catalogue file, and one entry of it as written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from community_metrics.catalog.toml_lines import HEADER

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class FieldRule:
    """The type of one field (`list` stands for a list of texts), and whether an entry must have it."""

    type: type
    required: bool


FIELDS: Mapping[str, Mapping[str, FieldRule]] = {
    "product": {"id": FieldRule(str, required=True), "name": FieldRule(str, required=True)},
    "metric": {
        "id": FieldRule(str, required=True),
        "source": FieldRule(str, required=True),
        "subject": FieldRule(str, required=True),
        "options": FieldRule(dict, required=False),
        "sdk": FieldRule(str, required=False),
        "window": FieldRule(str, required=True),
        "fallbacks": FieldRule(list, required=False),
        "display_name": FieldRule(str, required=True),
        "active": FieldRule(bool, required=False),
    },
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One `[[product]]` or `[[metric]]` as written; `number` counts from 1, unknown lines are left out."""

    kind: str
    number: int
    raw: Mapping[str, Any]
    lines: Mapping[str, int]

    def get(self, field: str) -> Any:
        """Return a field of the right type; None where it is absent, or wrong and reported as such."""
        value = self.raw.get(field)
        is_blank = isinstance(value, str) and not value.strip()
        return None if is_blank or not has_type(value, FIELDS[self.kind][field].type) else value

    def fault(self, field: str, message: str) -> str:
        """Return a fault that starts with where it is: line, entry and field."""
        line = self.lines.get(field, self.lines.get(HEADER))
        place = f"line {line}, " if line else ""
        name = self.get("id") or f"number {self.number}"
        return f"{place}{self.kind} {name}, {field}: {message}"


def has_type(value: object, wanted: type) -> bool:
    """Say whether a value read from TOML has the type of its field."""
    if wanted is list:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, wanted)
