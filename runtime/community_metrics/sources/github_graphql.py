"""Up to a hundred repositories in one GraphQL query, which needs a token."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from community_metrics.errors import SourceDenied, SourceError, TransientSourceError, UnknownSubject
from community_metrics.sources.client.hosts import GITHUB
from community_metrics.sources.client.replies import CHECK_SUBJECT, Reply, limited, parse_part, shape_error
from community_metrics.sources.schemas import ResponseModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from community_metrics.sources.base import FetchRequest
    from community_metrics.sources.client.client import ParsedReply, RegistryClient

URL = f"{GITHUB.public_origin}/graphql"
_BATCH = 100
_LIMITS = frozenset(("RATE_LIMITED", "RATE_LIMIT"))  # documented is the first; GitHub sends both


class Node(ResponseModel):
    """What every query asks of a repository; GraphQL may omit the id."""

    databaseId: int | None = None  # noqa: N815  GraphQL's spelling
    nameWithOwner: str  # noqa: N815


N = TypeVar("N", bound=Node)


class _Error(ResponseModel):
    type: str | None = None
    path: tuple[str | int, ...] = ()
    message: str = ""


class _Body(ResponseModel):
    data: dict[str, Any] | None = None
    errors: tuple[_Error, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer(Generic[N]):
    """What a query returned of one repository, and the reply that held it."""

    node: N
    reply: Reply


async def query_repositories(
    fields: Mapping[str, str], model: type[N], source: str, client: RegistryClient
) -> AsyncIterator[tuple[str, Answer[N] | SourceError]]:
    """Yield each repository of `fields` with its answer, or with the error that prevented it.

    `fields` has what is asked of each repository beside its id and name, in GraphQL, by `owner/name`.
    """
    subjects = list(fields)
    for start in range(0, len(subjects), _BATCH):
        batch = subjects[start : start + _BATCH]
        try:
            parsed = await client.post_json(
                GITHUB,
                "/graphql",
                _Body,
                source=source,
                subject=", ".join(batch),
                body={"query": _query({subject: fields[subject] for subject in batch})},
                quota="graphql",
                refuse=_refusal,
            )
        except SourceError as error:
            for subject in batch:
                yield subject, replace(error, subject=subject)
            continue
        for index, subject in enumerate(batch):
            yield subject, _answer(f"r{index}", subject, parsed, model)


async def answers_by_repository(
    requests: Sequence[FetchRequest],
    fields: Mapping[str, str],
    model: type[N],
    source: str,
    client: RegistryClient,
) -> AsyncIterator[tuple[list[FetchRequest], Answer[N] | SourceError | None]]:
    """Yield the requests of each repository with its answer, as soon as its query has one; `fields` as above.

    Without a token nothing is queried, and each answer is None.
    """
    by_subject: defaultdict[str, list[FetchRequest]] = defaultdict(list)
    for request in requests:
        by_subject[request.subject].append(request)
    if not client.has_token_for(GITHUB):
        for of_repository in by_subject.values():
            yield of_repository, None
        return
    async for subject, answer in query_repositories(fields, model, source, client):
        yield by_subject[subject], answer


def _query(fields: Mapping[str, str]) -> str:
    parts = []
    for index, (subject, asked) in enumerate(fields.items()):
        owner, _, name = subject.partition("/")
        named = f"repository(owner:{json.dumps(owner)},name:{json.dumps(name)})"
        parts.append(f"r{index}: {named}{{{f'databaseId nameWithOwner {asked}'.rstrip()}}}")
    return f"query{{ {' '.join(parts)} rateLimit{{cost remaining resetAt}} }}"


def _refusal(body: _Body, reply: Reply) -> SourceError | None:
    """Return the error that GraphQL reports with status 200: a limit, or a query that was not executed."""
    if not body.errors:
        return None
    answered = any(value is not None for alias, value in (body.data or {}).items() if alias != "rateLimit")
    exhausted = reply.headers.get("x-ratelimit-remaining") == "0" and not answered
    if exhausted or any(error.type in _LIMITS for error in body.errors):
        return limited(reply)
    if body.data is None:
        return reply.error(TransientSourceError, "GraphQL returned errors without data")
    return None


def _answer(alias: str, subject: str, parsed: ParsedReply[_Body], model: type[N]) -> Answer[N] | SourceError:
    raw = (parsed.body.data or {}).get(alias)
    if raw is None:
        return replace(_alias_error(alias, parsed), subject=subject)
    try:
        return Answer(parse_part(parsed.reply, f"data.{alias}", raw, model), parsed.reply)
    except SourceError as error:
        return replace(error, subject=subject)


def _alias_error(alias: str, parsed: ParsedReply[_Body]) -> SourceError:
    reply = parsed.reply
    error = next((error for error in parsed.body.errors if error.path[:1] == (alias,)), None)
    if error is None:
        return shape_error(reply, f"data.{alias} is missing without an error")
    if error.type == "NOT_FOUND":
        return reply.error(UnknownSubject, GITHUB.unknown_hint, fix=CHECK_SUBJECT)
    if error.type == "FORBIDDEN":
        return reply.error(SourceDenied, "the token lacks the right to read it", fix="check CM_GITHUB_TOKEN")
    kind = error.type or "an error"
    return reply.error(TransientSourceError, f"GraphQL returned {kind}: {error.message[:200]}")
