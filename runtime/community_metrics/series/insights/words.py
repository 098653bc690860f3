"""Words of the sentences. Every number in a sentence is one of the insight's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from community_metrics.model import ValueKind
from community_metrics.periods import Grain
from community_metrics.text import signed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from community_metrics.model import MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.series.change import Change

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def amount(value: int, unit: str) -> str:
    """Return `1,234 downloads`."""
    return f"{value:,} {unit}"


def change_words(change: Change) -> str:
    """Return `1,234 more (+5.6%)`, the same with `fewer`, or `as many`."""
    if change.absolute == 0:
        return "as many"
    word = "more" if change.absolute > 0 else "fewer"
    return f"{abs(change.absolute):,} {word} ({signed(change.fraction, '.1%')})"


def than(change: Change) -> str:
    """Return the word between a change and its base."""
    return "as" if change.absolute == 0 else "than"


def base_words(base: Period, kind: ValueKind) -> str:
    """Return what a change is from: `in 2026-W46`, or the daily mean of a month."""
    if kind is ValueKind.LEVEL:
        return f"at the end of {base.label}"
    is_mean = base.grain in {Grain.MONTH, Grain.QUARTER}
    return f"at the daily mean of {base.label}" if is_mean else f"in {base.label}"


def known_changes(changes: Sequence[Change | None], bases: Sequence[Period]) -> list[str]:
    """Return each change that is known, with the period that it is from."""
    return [
        f"{change_words(change)} {than(change)} {base_words(base, ValueKind.FLOW)}"
        for change, base in zip(changes, bases, strict=True)
        if change is not None
    ]


def why_no_change(changes: Sequence[Change | None], bases: Sequence[Period], level_break: date | None) -> str:
    """Return why each change that is not known is not, as sentences after a blank; nothing if all are known.

    `level_break` is the newest change of counting that any change would cross.
    """
    unknown = [base for change, base in zip(changes, bases, strict=True) if change is None]
    crossed = [base for base in unknown if level_break is not None and base.start < level_break]
    others = [base.label for base in unknown if base not in crossed]
    text = ""
    if crossed:
        text += f" A source counts in another way since {level_break}: no change is computed across it."
    if others:
        text += f" No change from {' or '.join(others)}: a series is not complete there, or the total is 0."
    return text


def value_words(metric: MetricDefinition, value: int, period: Period) -> str:
    """Return `1,234 downloads in 2026-W47`, by the kind of the metric."""
    match metric.value_kind:
        case ValueKind.LEVEL:
            return f"{amount(value, metric.unit)} at the end of {period.label}"
        case ValueKind.ROLLING:
            return f"{amount(value, metric.unit)} in the {metric.source_window.days} days to {period.end}"
        case _:
            return f"{amount(value, metric.unit)} in {period.label}"


def weekday(day: date) -> str:
    """Return `Wednesday`."""
    return WEEKDAYS[day.weekday()]
