"""What is kept of a response, so that its source's code can read it once more.

Kept are the status, three headers and the fields of the body that the source reads. Everything else is
dropped before anything is stored: names of people that a registry adds, request headers, cookies.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping  # noqa: TC003  kept answers are read back by these annotations
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  as above
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.sources.client.replies import Reply

KEPT_HEADERS: Final = ("content-type", "date", "link")
"""The response headers that are kept; `link` leads to the next page."""

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RequestKey:
    """What makes two requests of one run the same: host key, method, path and query, body as JSON."""

    host: str
    method: str
    target: str
    query: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One response as it is kept. `headers` are `KEPT_HEADERS`, `body` has only the fields that were read.

    `public_url` is the registry's public URL after redirects. `authorized` says whether the request carried a
    token, of which nothing is kept.
    """

    request: RequestKey
    source: str
    public_url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    at: datetime
    authorized: bool


class Recorder(Protocol):
    """Receives the responses of the sources whose answers are kept."""

    def wants(self, source: str) -> bool:
        """Return whether responses to this source are kept."""
        ...

    def note(self, answer: Answer) -> None:
        """Keep a response that was read as its source documents it, or that has another shape."""
        ...


def answer_of(request: RequestKey, reply: Reply, model: Any, *, authorized: bool) -> Answer:
    """Return what is kept of a response that a source reads as `model`.

    Raises:
        ValueError, pydantic.errors.PydanticUserError: the fields of `model` cannot be told from the body.
    """
    return Answer(
        request=request,
        source=reply.source,
        public_url=reply.public_url,
        status=reply.status,
        headers={name: reply.headers[name] for name in KEPT_HEADERS if name in reply.headers},
        body=kept_body(reply.body, model),
        at=reply.at,
        authorized=authorized,
    )


def kept_body(body: bytes, model: Any) -> bytes:
    """Return a JSON body without the fields that `model` does not have; the others keep their values.

    The values need not be valid, so that a body that was rejected by mistake is kept as well.

    Raises:
        ValueError: the body is not JSON.
        pydantic.errors.PydanticUserError: `model` has no JSON schema.
    """
    schema = _schema_of(model)
    value = json.loads(body.removeprefix(codecs.BOM_UTF8))
    kept = _kept(value, [schema], schema.get("$defs", {}))
    return json.dumps(kept, separators=(",", ":")).encode()


@lru_cache(maxsize=256)
def _schema_of(model: Any) -> Schema:
    adapter: TypeAdapter[Any] = TypeAdapter(model)
    return adapter.json_schema(mode="validation")


def _kept(value: Any, schemas: Sequence[Schema], named: Mapping[str, Schema]) -> Any:
    """Return the part of a value that one of the schemas names; a structure that none has is emptied."""
    options = [option for schema in schemas for option in _options(schema, named)]
    if any(_allows_everything(option) for option in options):
        return value
    if isinstance(value, dict):
        inner = {name: _of_key(name, options) for name in value}
        return {name: _kept(value[name], inner[name], named) for name in value if inner[name]}
    if isinstance(value, list):
        items = [_of_item(index, options) for index in range(len(value))]
        return [_kept(item, item_schemas, named) for item, item_schemas in zip(value, items, strict=True)]
    has_scalar = any(option.get("type") not in {"object", "array"} for option in options)
    return value if has_scalar else None


def _options(schema: Schema, named: Mapping[str, Schema]) -> list[Schema]:
    """Return the alternatives of a schema, with references replaced by what they name."""
    if "$ref" in schema:
        return _options(named[schema["$ref"].rpartition("/")[2]], named)
    nested = [part for word in ("anyOf", "oneOf", "allOf") for part in schema.get(word, ())]
    return [option for part in nested for option in _options(part, named)] or [schema]


def _allows_everything(option: Schema) -> bool:
    """Return whether the model takes any JSON here (`Any`), as a source does that reads the parts itself."""
    return not option.keys() - {"default", "description", "title"}


def _of_key(name: str, options: Sequence[Schema]) -> list[Schema]:
    found: list[Schema] = []
    for option in options:
        others = [option.get("additionalProperties", False), *option.get("patternProperties", {}).values()]
        if name in (fields := option.get("properties", {})):
            found.append(fields[name])
        else:
            found += [{} if other is True else other for other in others if other is not False]
    return found


def _of_item(index: int, options: Sequence[Schema]) -> list[Schema]:
    found: list[Schema] = []
    for option in options:
        first = option.get("prefixItems", [])
        if index < len(first):
            found.append(first[index])
        elif isinstance(items := option.get("items"), dict):
            found.append(items)
        elif option.get("type") == "array" and "items" not in option and not first:
            found.append({})
    return found
