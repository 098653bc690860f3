"""Failures with one cause: thirteen metrics behind an unreachable network are four hosts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from community_metrics.errors import SourceUnreachable
from community_metrics.model import REGISTRY_FAMILY, OutcomeStatus, RunStatus, is_reading_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from community_metrics.model import RunOutcome

_NAMED = 3
SUMMARY_LIMIT = 4_000
"""Characters of `history.error_summary`: a page, not a log."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The metrics that failed for one cause.

    `url` is the address that failed, only its origin where the metrics have different addresses.
    """

    cause: str
    error_class: str
    url: str | None
    metric_ids: tuple[str, ...]

    @property
    def message(self) -> str:
        """One line: `crates.io cannot be reached: connection refused (5 metrics: a, b, c and 2 more)`."""
        count = len(self.metric_ids)
        if count == 1:
            return f"{self.metric_ids[0]}: {self.cause}"
        rest = f" and {count - _NAMED} more" if count > _NAMED else ""
        return f"{self.cause} ({count} metrics: {', '.join(self.metric_ids[:_NAMED])}{rest})"


def grouped_failures(outcomes: Iterable[RunOutcome]) -> list[Failure]:
    """Return one failure for each cause, the one of most metrics first; outcomes without error are left out.

    A cause is the class and the message of an error: host, HTTP status and detail, but not the subject.
    """
    groups: dict[tuple[str, str], dict[str, str | None]] = {}
    for outcome in outcomes:
        if outcome.message is not None:
            cause = (outcome.error_class or "", outcome.message)
            groups.setdefault(cause, {})[outcome.metric_id] = outcome.url
    failures = [
        Failure(message, error_class, _common_url(set(urls.values())), tuple(sorted(urls)))
        for (error_class, message), urls in groups.items()
    ]
    return sorted(failures, key=lambda failure: (-len(failure.metric_ids), failure.metric_ids))


def run_status(outcomes: Sequence[RunOutcome], *, metrics_left: int = 0) -> RunStatus:
    """Return success when no metric failed, failed when all did and none has a value, else partial.

    A day that a registry has not published yet is no failure, nor are metrics that are left for the next run,
    as long as the run has read some. Neither a feed nor the total of a registry is what a run is for: where
    every other metric failed, the run has.
    """
    if metrics_left and not outcomes:
        return RunStatus.PARTIAL
    of_metrics = {outcome.status for outcome in outcomes if not _is_beside(outcome.metric_id)}
    of_others = {outcome.status for outcome in outcomes if _is_beside(outcome.metric_id)}
    if of_metrics | of_others <= {OutcomeStatus.SUCCESS}:
        return RunStatus.SUCCESS
    return RunStatus.FAILED if (of_metrics or of_others) == {OutcomeStatus.FAILED} else RunStatus.PARTIAL


def _is_beside(metric_id: str) -> bool:
    """Return whether a run reads it beside the metrics of products: a place of events, a registry's total."""
    return is_reading_id(metric_id) or metric_id.partition(":")[0] == REGISTRY_FAMILY


def is_offline(outcomes: Sequence[RunOutcome]) -> bool:
    """Return whether no registry answered at all: every metric failed, and none got a response."""
    unreachable = SourceUnreachable.__name__
    return bool(outcomes) and all(
        one.status is OutcomeStatus.FAILED and one.error_class == unreachable for one in outcomes
    )


def error_summary(failures: Iterable[Failure]) -> str | None:
    """Return one line for each failure, cut to a page, for display only; None without failures."""
    text = "\n".join(failure.message for failure in failures)
    if len(text) <= SUMMARY_LIMIT:
        return text or None
    return text[: SUMMARY_LIMIT - 30].rsplit("\n", 1)[0] + "\n… and more; see the log"


def _common_url(urls: set[str | None]) -> str | None:
    if len(urls) == 1:
        return urls.pop()
    origins = {urlsplit(url)._replace(path="", query="").geturl() for url in urls if url}
    return origins.pop() if len(origins) == 1 else None
