"""The lines of the entries of a TOML file, for messages: `tomllib` keeps no positions."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEADER = ""
"""The key for the line of an entry's `[[name]]` header; no field has this name."""

# Strings and comments come first, so that a header or a key inside one is not matched. A bare word in
# brackets at the start of a line is not a value: TOML's bare values are numbers, dates and booleans.
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{0,2})'
    r"|'''.*?'''(?:'{0,2})"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|^[ \t]*\[\[[ \t]*(?P<entry>[A-Za-z_][\w-]*)[ \t]*\]\]"
    r"|^[ \t]*(?P<key>[A-Za-z_][\w-]*)(?=[ \t]*[.=])",
    re.DOTALL | re.MULTILINE,
)


def entry_lines(text: str) -> Mapping[str, Sequence[Mapping[str, int]]]:
    """Return, for each `[[name]]` of a valid TOML text, the lines of its entries' headers and fields, from 1.

    Inline entries (`name = [{…}]`) are not listed; compare the counts before you use a line.
    """
    places: dict[str, list[dict[str, int]]] = defaultdict(list)
    fields: dict[str, int] = {}
    line, counted_to = 1, 0
    for token in _TOKEN.finditer(text):
        line += text.count("\n", counted_to, token.end())
        counted_to = token.end()
        if token["entry"]:
            fields = {HEADER: line}
            places[token["entry"]].append(fields)
        elif token["key"]:
            fields.setdefault(token["key"], line)
    return places
