"""The answers of sources that cannot be asked again: taken during a run, stored beside its rows, read back.

A group is one time that a run asked a source: the requests in their order, and all answers. With both, the
source's code returns the same values once more. A run that stores its rows in several steps stores a group
in as many parts, each with the metrics whose values that step stored.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from community_metrics.errors import StorageSchemaMismatch
from community_metrics.model import RawAnswers
from community_metrics.sources.base import FetchRequest, forgets
from community_metrics.sources.client.recording import Answer

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Sequence
    from datetime import datetime

    from community_metrics.config import Settings
    from community_metrics.model import Provenance
    from community_metrics.sources.base import Source

log = structlog.get_logger(__name__)

_LEAST_SECRET: Final = 8
"""Shorter secrets are no secrets, and occur in any text."""


class _Content(BaseModel):
    """What `RawAnswers.content` holds. The first part of a group has its requests."""

    model_config = ConfigDict(frozen=True)

    requests: tuple[FetchRequest, ...] = ()
    answers: tuple[Answer, ...] = ()
    metric_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One merge that stored values of a group: when, by which provenance, of which metrics."""

    stored_at: datetime
    provenance: Provenance
    metric_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Group:
    """One time that a run asked a source, as it was kept."""

    run_id: str
    source: str
    requests: tuple[FetchRequest, ...]
    answers: tuple[Answer, ...]
    steps: tuple[Step, ...]


@dataclass
class _OpenGroup:
    source: str
    number: int
    requests: tuple[FetchRequest, ...]
    answers: list[Answer] = field(default_factory=list)
    stored_metrics: set[str] = field(default_factory=set)
    parts: int = 0


class AnswerRecorder:
    """Takes the answers of a run. `secrets` occur in none that is kept."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secret for secret in secrets if len(secret) >= _LEAST_SECRET)
        self._groups: list[_OpenGroup] = []
        self._current: dict[str, _OpenGroup] = {}

    def begin(self, source: Source, requests: Sequence[FetchRequest]) -> None:
        """Begin a group: the run asks `source` for these. A source that can be asked again has none."""
        if forgets(source):
            number = sum(group.source == source.name for group in self._groups)
            group = _OpenGroup(source.name, number, tuple(requests))
            self._groups.append(group)
            self._current[source.name] = group

    def wants(self, source: str) -> bool:
        """Return whether answers to this source are kept."""
        return source in self._current

    def note(self, answer: Answer) -> None:
        """Keep an answer, unless it repeats a secret of the settings."""
        text = _text(answer)
        if any(secret in text for secret in self._secrets):
            log.warning("answer not kept", source=answer.source, reason="it repeats a secret of the settings")
            return
        self._current[answer.source].answers.append(answer)

    def take(
        self, run_id: str, metric_ids: Collection[str], *, provenance: Provenance, now: datetime
    ) -> list[RawAnswers]:
        """Return the rows for what came since the last call, to store just before the values.

        `metric_ids` are those whose values are in the merge at `now`, or were in an earlier one.
        """
        parts = (_part(group, metric_ids) for group in self._groups)
        return [
            RawAnswers(
                run_id=run_id,
                source=group.source,
                request_group=group.number,
                part=group.parts - 1,
                provenance=provenance,
                stored_at=now,
                content=zlib.compress(part.model_dump_json().encode(), 9),
            )
            for group, part in zip(self._groups, parts, strict=True)
            if part is not None
        ]


def _part(group: _OpenGroup, metric_ids: Collection[str]) -> _Content | None:
    """Move what is new in a group to a part of its own; None where nothing is, or no answer came."""
    asked = [request.metric_id for request in group.requests]
    settled = [name for name in asked if name in metric_ids and name not in group.stored_metrics]
    if not group.answers and (not group.parts or not settled):
        return None
    requests = () if group.parts else group.requests
    part = _Content(requests=requests, answers=tuple(group.answers), metric_ids=tuple(settled))
    group.answers.clear()
    group.stored_metrics.update(settled)
    group.parts += 1
    return part


def secrets_of(settings: Settings) -> list[str]:
    """Return every secret of the settings."""
    return settings.secret_texts


def without_runs(groups: Sequence[Group], undone: Container[str]) -> tuple[list[Group], list[str]]:
    """Return the groups of the other runs, and a note that names those of `undone` that have groups."""
    names = sorted({group.run_id for group in groups if group.run_id in undone})
    notes = [f"Answers of runs that were undone were left out: {', '.join(names)}."] if names else []
    return [group for group in groups if group.run_id not in undone], notes


def groups_of(rows: Iterable[RawAnswers]) -> list[Group]:
    """Return the groups that rows of `raw_answers` hold, by their first merge.

    Raises:
        StorageSchemaMismatch: the content of a row cannot be read.
    """
    grouped: dict[tuple[str, str, int], list[RawAnswers]] = defaultdict(list)
    for row in rows:
        grouped[row.run_id, row.source, row.request_group].append(row)
    groups = [_group(sorted(parts, key=lambda row: row.part)) for parts in grouped.values()]
    return sorted(groups, key=lambda group: (group.steps[0].stored_at, group.run_id, group.source))


def _group(rows: Sequence[RawAnswers]) -> Group:
    parts = [_content(row) for row in rows]
    return Group(
        run_id=rows[0].run_id,
        source=rows[0].source,
        requests=tuple(request for part in parts for request in part.requests),
        answers=tuple(answer for part in parts for answer in part.answers),
        steps=tuple(
            Step(row.stored_at, row.provenance, frozenset(part.metric_ids))
            for row, part in zip(rows, parts, strict=True)
        ),
    )


def _content(row: RawAnswers) -> _Content:
    try:
        return _Content.model_validate_json(zlib.decompress(row.content))
    except (zlib.error, ValidationError) as error:
        raise StorageSchemaMismatch(
            f"The row {row.answers_key} of raw_answers cannot be read ({type(error).__name__}). Fix: use the "
            "version of community-metrics that wrote it."
        ) from error


def _text(answer: Answer) -> str:
    request = answer.request
    parts = (request.target, request.query or "", answer.public_url, *answer.headers.values())
    return "\n".join((*parts, answer.body.decode()))
