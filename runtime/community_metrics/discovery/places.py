"""Lines of a text, and parts of a parsed manifest whose shape nobody has checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def line_of(text: str, pattern: str) -> int | None:
    """Return the number of the first line in which `pattern` begins; None without one."""
    found = re.search(pattern, text, re.MULTILINE)
    return None if found is None else text.count("\n", 0, found.start()) + 1


def line_after(text: str, header: str, pattern: str) -> int | None:
    """Return the line that begins with `pattern`, in the lines after the one that begins with `header`."""
    lines = text.splitlines()
    begins = [number for number, line in enumerate(lines) if re.match(rf"\s*{header}", line)]
    for number in range(begins[0] + 1, len(lines)) if begins else ():
        if re.match(r"\s*\[", lines[number]):
            break
        if re.match(rf"\s*[\"']?{pattern}", lines[number]):
            return number + 1
    return begins[0] + 1 if begins else None


def table_in(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a table of a table; an empty one where there is none."""
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def text_in(table: Mapping[str, Any], key: str) -> str | None:
    """Return a text of a table; None where there is none, or an empty one."""
    value = table.get(key)
    return value.strip() or None if isinstance(value, str) else None
