"""The reference in `docs/api.md`, made from `docs/openapi.json` by `python -m tests.support.api_docs`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from community_metrics.api.context import PREFIX
from community_metrics.api.params import allowed_values
from community_metrics.api.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = DOCS / "api.md"
BEGIN: Final = "<!-- generated from openapi.json by `make docs`: edit the code, not these lines -->\n"
END: Final = "<!-- end of the generated lines -->\n"
_JSON: Final = "application/json"
_WORDS: Final = {"date": "day", "date-time": "instant"}


def rendered(page: str) -> str:
    """Return the page with a new reference between its two marks; everything else stays."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{reference(json.loads((DOCS / 'openapi.json').read_text('utf-8')))}{END}{after}"


def reference(document: dict[str, Any]) -> str:
    """Return a section for each route: what it returns, its parameters, formats, errors and fields."""
    schemas = document["components"]["schemas"]
    return "".join(
        "\n".join(_section(path.removeprefix(PREFIX.rstrip("/")), operations["get"], schemas)) + "\n"
        for path, operations in document["paths"].items()
    )


def _section(path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    yield f"\n### GET {path}\n"
    yield operation["description"].replace("docs/insights.md", "[insights.md](insights.md)")
    if parameters := operation.get("parameters"):
        yield "\n| parameter | values | default | meaning |\n| --- | --- | --- | --- |"
        yield from map(_parameter, parameters)
    formats = {
        media_type: body.get("schema", {})
        for status, response in operation["responses"].items()
        if status.startswith("2")
        for media_type, body in response.get("content", {}).items()
    }
    yield f"\nFormats: {', '.join(f'`{one}`' for one in formats)}. Errors: {_errors(operation['responses'])}."
    name = formats.get(_JSON, {}).get("$ref", "").rpartition("/")[2]
    if name:
        yield "\n| field | type | meaning |\n| --- | --- | --- |"
        for field, schema in schemas[name].get("properties", {}).items():
            yield f"| `{field}` | {_type(schema)} | {_cell(schema['description'])} |"


def _parameter(parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    default = f"`{json.dumps(schema['default']).strip(chr(34))}`" if "default" in schema else ""
    values = allowed_values(schema) or "an id"
    name = f"`{parameter['name']}`" + (", required" if parameter["required"] else "")
    return f"| {name} | {_cell(values)} | {default} | {_cell(parameter['description'])} |"


def _errors(responses: dict[str, Any]) -> str:
    statuses = [status for status, one in responses.items() if MEDIA_TYPE in one.get("content", {})]
    return ", ".join(sorted(statuses))


def _type(schema: dict[str, Any]) -> str:
    """Return the type of a field in words: `list of Restatement`, `day or null`."""
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(map(_type, choices)))
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    return _WORDS.get(schema.get("format", ""), str(schema.get("type", "any")))


def _cell(text: str) -> str:
    """Return text that stays in one cell of a table."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text("utf-8")), encoding="utf-8")
