"""What holds for every stored row, table by table, and the rows for which it does not.

Pure, over columns: a file can be damaged in a way that LanceDB reads without an error. Rules name what the
program never writes, so that a row that breaks one was changed by something else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from community_metrics.clock import CLOCK_TOLERANCE
from community_metrics.model import METRIC_ID, READING_SEPARATOR, EventKind, RunStatus, SourceWindow
from community_metrics.periods import today
from community_metrics.storage import sql
from community_metrics.storage.schemas import (
    DELIVERIES,
    DIGESTS,
    EVENTS,
    HISTORY,
    LAST_READS,
    LEASES,
    METRICS,
    RAW_ANSWERS,
    RUN_OUTCOMES,
    STATS,
    TRAFFIC_ITEMS,
    WITNESS,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from community_metrics.storage.schemas import AnyTable

    Breaks = Callable[[Mapping[str, Any]], Any]

KEYS_SHOWN: Final = 10
"""The keys that a violation names; it counts the others."""
_MINUS_ONE: Final = pa.scalar(-1, pa.int32())
"""Subtracted to add 1: a damaged day may be the last that an int32 holds, and this does not raise."""
_COUNTS_OF_A_RUN: Final = (
    "rows_inserted",
    "rows_updated",
    "rows_unchanged",
    "metrics_left",
    "lookback_weeks",
)
_WINDOW_DAYS: Final = {window.value: window.days for window in SourceWindow if window.days}


@dataclass(frozen=True, slots=True)
class RowName:
    """One row of a table."""

    table: str
    key: str


@dataclass(slots=True)
class Violation:
    """A rule that `count` rows of a table break, with the keys of the first of them.

    `word_of` names the column where the rule is about a word of an enumeration: a newer version has more.
    """

    table: str
    rule: str
    word_of: str | None = None
    count: int = 0
    keys: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Inspection:
    """The violations of a table so far; memory does not grow with its rows."""

    spec: AnyTable
    found: dict[str, Violation] = field(default_factory=dict)

    def check(self, batch: pa.RecordBatch) -> None:
        """Check the rows of one batch, which has every column of the table."""
        for rule, word_of, broken in _broken(self.spec, batch):
            violation = self.found.setdefault(rule, Violation(self.spec.name, rule, word_of))
            keys = batch.column(self.spec.key).filter(broken)
            violation.count += len(keys)
            shown = keys.slice(0, max(0, KEYS_SHOWN - len(violation.keys)))
            # as bytes: what was damaged may not be text any more
            violation.keys += [
                key.decode(errors="replace") for key in shown.cast(pa.binary()).to_pylist() if key is not None
            ]


def from_the_future(spec: AnyTable, now: datetime) -> str | None:
    """Return the condition for rows that a clock ahead of `now` wrote; None for a table without any."""
    latest = sql.literal(now + CLOCK_TOLERANCE)
    if spec is STATS or spec is TRAFFIC_ITEMS or spec is WITNESS:
        day, last_day = "period_end" if spec is STATS else "day", sql.literal(today(now + CLOCK_TOLERANCE))
        return f"observed_at > {latest} OR {day} > {last_day}"
    return f"started_at > {latest} OR finished_at > {latest}" if spec is HISTORY else None


def is_from_the_future(row: Mapping[str, Any], now: datetime) -> bool:
    """Return whether a row has an instant that a clock ahead of `now` gave it."""
    latest = now + CLOCK_TOLERANCE
    return any(isinstance(value, datetime) and value > latest for value in row.values())


def _broken(spec: AnyTable, batch: pa.RecordBatch) -> Iterator[tuple[str, str | None, pa.Array]]:
    """Yield each rule that rows break, its column if it is about a word, and the mask of those rows."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    masks: list[tuple[str, str | None, pa.Array]] = [
        (rule, None, breaks(columns)) for rule, breaks in _RULES[spec.name]
    ]
    required = [one.name for one in spec.schema if not one.nullable]
    masks += [(f"{name} is not null", None, pc.is_null(columns[name])) for name in required]
    words = {name: [str(word) for word in known] for name, known in spec.words.items()}
    masks += [
        (f"{name} is one of {', '.join(known)}", name, _is_not_one_of(columns[name], known))
        for name, known in words.items()
    ]
    for rule, word_of, mask in masks:
        broken = pc.fill_null(mask, fill_value=False)
        if pc.any(broken).as_py():
            yield rule, word_of, broken


def _is_not_one_of(column: pa.Array, words: list[str]) -> pa.Array:
    # a column that may be null has no word where nothing is to be said; another rule is about the others
    is_unknown = pc.invert(pc.is_in(column, value_set=pa.array(words, pa.string())))
    return pc.and_(pc.is_valid(column), is_unknown)


def _is_below_zero(*names: str) -> Breaks:
    def breaks(columns: Mapping[str, Any]) -> Any:
        masks = [pc.less(columns[name], 0) for name in names]
        found = masks[0]
        for mask in masks[1:]:
            found = pc.or_kleene(found, mask)  # a count may be null
        return found

    return breaks


def _has_another_key(key: str, *names: str) -> Breaks:
    def breaks(columns: Mapping[str, Any]) -> Any:
        parts = [columns[name].cast(pa.string()) for name in names]
        return pc.not_equal(columns[key], pc.binary_join_element_wise(*parts, "|"))

    return breaks


def _is_before(later: str, earlier: str) -> Breaks:
    return lambda columns: pc.less(columns[later], columns[earlier])


def _has_another_first_value(columns: Mapping[str, Any]) -> Any:
    is_first = pc.equal(columns["revision"], 0)
    return pc.and_(is_first, pc.not_equal(columns["value"], columns["first_value"]))


def _is_revised_without_revision(columns: Mapping[str, Any]) -> Any:
    return pc.and_(pc.equal(columns["revision"], 0), pc.is_valid(columns["revised_at"]))


def _spans_another_window(columns: Mapping[str, Any]) -> Any:
    windows, start, end = columns["source_window"], columns["period_start"], columns["period_end"]
    days = pc.subtract(pc.subtract(end.cast(pa.int32()), start.cast(pa.int32())), _MINUS_ONE)
    index = pc.index_in(windows, value_set=pa.array(_WINDOW_DAYS, pa.string()))
    expected = pc.take(pa.array(_WINDOW_DAYS.values(), pa.int32()), index)
    first = pc.floor_temporal(end, unit="month")
    next_month = pc.subtract(end.cast(pa.int32()), _MINUS_ONE).cast(pa.date32())
    is_month = pc.and_(pc.equal(start, first), pc.equal(pc.day(next_month), 1))
    other = pc.and_(pc.equal(windows, SourceWindow.MONTH.value), pc.invert(is_month))
    return pc.or_(pc.fill_null(pc.not_equal(days, expected), fill_value=False), other)


def _is_no_metric_id(name: str) -> Breaks:
    pattern = f"^(?:{METRIC_ID.pattern})$"
    return lambda columns: pc.invert(pc.match_substring_regex(columns[name], pattern))


def _is_no_reading(name: str) -> Breaks:
    is_no_metric = _is_no_metric_id(name)
    return lambda columns: pc.and_(
        is_no_metric(columns), pc.invert(pc.match_substring(columns[name], READING_SEPARATOR))
    )


def _has_another_author(columns: Mapping[str, Any]) -> Any:
    is_note = pc.equal(columns["kind"], EventKind.NOTE.value)
    return pc.xor(is_note, pc.is_valid(columns["author"]))


def _is_removed_by_nobody(columns: Mapping[str, Any]) -> Any:
    return pc.xor(pc.is_valid(columns["removed_at"]), pc.is_valid(columns["removed_by"]))


def _ends_while_it_runs(columns: Mapping[str, Any]) -> Any:
    runs = pc.equal(columns["status"], RunStatus.RUNNING.value)
    return pc.xor(runs, pc.is_null(columns["finished_at"]))


def _lacks_items(columns: Mapping[str, Any]) -> Any:
    names, titles, counts, uniques = (
        pc.list_value_length(columns[name]) for name in ("names", "titles", "counts", "uniques")
    )
    lacks_titles = pc.and_(pc.not_equal(titles, 0), pc.not_equal(titles, names))
    lacks_numbers = pc.or_(pc.not_equal(counts, names), pc.not_equal(uniques, names))
    return pc.or_(lacks_titles, lacks_numbers)


_RULES: Final[dict[str, tuple[tuple[str, Breaks], ...]]] = {
    METRICS.name: (("metric_id is an id", _is_no_metric_id("metric_id")),),
    STATS.name: (
        ("the key is metric_id and period_end", _has_another_key("stat_key", "metric_id", "period_end")),
        ("metric_id is an id", _is_no_metric_id("metric_id")),
        ("numbers are at least 0", _is_below_zero("value", "first_value", "revision")),
        ("without a revision, value is first_value", _has_another_first_value),
        ("without a revision, revised_at is null", _is_revised_without_revision),
        ("the period is one window", _spans_another_window),
    ),
    HISTORY.name: (
        ("numbers are at least 0", _is_below_zero(*_COUNTS_OF_A_RUN)),
        ("a window ends after its start", _is_before("window_end", "window_start")),
        ("a run has an end unless it runs", _ends_while_it_runs),
    ),
    RUN_OUTCOMES.name: (
        ("the key is run_id and metric_id", _has_another_key("outcome_key", "run_id", "metric_id")),
        ("numbers are at least 0", _is_below_zero("observations")),
    ),
    RAW_ANSWERS.name: (("numbers are at least 0", _is_below_zero("request_group", "part")),),
    TRAFFIC_ITEMS.name: (
        ("the key is metric_id and day", _has_another_key("item_key", "metric_id", "day")),
        ("metric_id is an id", _is_no_metric_id("metric_id")),
        ("every place has its numbers", _lacks_items),
    ),
    WITNESS.name: (
        ("the key is metric_id and day", _has_another_key("witness_key", "metric_id", "day")),
        ("metric_id is an id", _is_no_metric_id("metric_id")),
        ("numbers are at least 0", _is_below_zero("value")),
    ),
    LAST_READS.name: (("metric_id is an id, or a reading of events", _is_no_reading("metric_id")),),
    EVENTS.name: (
        ("a note has an author, and nothing else has", _has_another_author),
        ("a removed event says by whom", _is_removed_by_nobody),
    ),
    DIGESTS.name: (
        ("numbers are at least 0", _is_below_zero("edition")),
        ("a period ends after its start", _is_before("period_end", "period_start")),
    ),
    DELIVERIES.name: (
        (
            "the key is delivery_id, grain and period",
            _has_another_key("delivery_key", "delivery_id", "grain", "period"),
        ),
        ("numbers are at least 0", _is_below_zero("attempts")),
        ("the last attempt is not before the first", _is_before("last_attempt_at", "first_attempt_at")),
    ),
    LEASES.name: (("numbers are at least 0", _is_below_zero("pid")),),
}
