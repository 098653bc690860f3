"""How much of a day a registry has counted: its sentinel decides which days and which zeros are stored.

A sentinel is a series of the same registry that has a value every day: everything that npm or PyPI served, or
a crate that is downloaded every day. Its value of a day, compared with its usual one, shows how much of the
day the registry took in.

| share of the usual value | values of that day | zeros of that day |
| --- | --- | --- |
| below 30 % | held back: the day was counted only in part | not believed |
| 30 % to 90 % | stored, marked as low for everybody | not believed |
| from 90 % on | stored | believed where the package's own days make them plausible |
| not known | stored; held back by a backfill | not believed |
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta
from statistics import median
from typing import TYPE_CHECKING, Generic, TypeVar

from community_metrics.errors import SourceError
from community_metrics.periods import ONE_DAY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from community_metrics.model import LevelBreak

T = TypeVar("T")

PARTIAL_BELOW = 0.3
COUNTED_FROM = 0.9
MOST_USUAL_FOR_ZERO = 10
"""The largest usual value beside which a day without downloads is plausible."""
_NEIGHBOURING_WEEKS = (-4, -3, -2, -1, 1, 2, 3, 4)
_NEIGHBOURING_DAYS = (-3, -2, -1, 1, 2, 3)
_FEWEST_WEEKDAYS = 2
_LOW_SHARE = 0.5
_NOTED = timedelta(days=14)


class Intake:
    """How much of each day a registry counted, by the values of its sentinel.

    `breaks` are the changes of counting that its source declares: a day is compared with none across one. The
    oldest day is judged only with `keeps_days`: a registry that drops its days may have dropped a part of it
    between two requests.
    """

    def __init__(
        self, sentinel: Mapping[date, int], breaks: Sequence[LevelBreak] = (), *, keeps_days: bool = False
    ) -> None:
        self._breaks = breaks
        self._values = {day: value for day, value in sentinel.items() if value > 0}
        oldest = min(sentinel, default=date.max)
        self._first = oldest if keeps_days or not sentinel else oldest + ONE_DAY
        self._shares: dict[date, float | None] = {}

    def share(self, day: date) -> float | None:
        """Return the sentinel's value as a share of its usual one; None where that is not known."""
        if day not in self._shares:
            usual = usual_value(day, self._values, self._breaks) if day >= self._first else None
            self._shares[day] = None if not usual else self._values.get(day, 0) / usual
        return self._shares[day]

    def counted(self, days: Iterable[date]) -> frozenset[date]:
        """Return the days that were counted for everybody."""
        return self._between(days, COUNTED_FROM, math.inf)

    def partial(self, days: Iterable[date]) -> frozenset[date]:
        """Return the days that were counted only in part, or not at all."""
        return self._between(days, 0, PARTIAL_BELOW)

    def low(self, days: Iterable[date]) -> frozenset[date]:
        """Return the days that are neither partial nor counted for everybody, such as holidays."""
        return self._between(days, PARTIAL_BELOW, COUNTED_FROM)

    def unknown(self, days: Iterable[date]) -> frozenset[date]:
        """Return the days that cannot be compared with others."""
        return frozenset(day for day in days if self.share(day) is None)

    def _between(self, days: Iterable[date], least: float, below: float) -> frozenset[date]:
        shares = ((day, self.share(day)) for day in days)
        return frozenset(day for day, share in shares if share is not None and least <= share < below)


def usual_value(day: date, values: Mapping[date, int], breaks: Sequence[LevelBreak] = ()) -> float | None:
    """Return the median of the same weekdays up to four weeks before and after; None without any.

    A day on the other side of one of `breaks` is counted in another way, and is not used.
    """
    others = (day + 7 * weeks * ONE_DAY for weeks in _NEIGHBOURING_WEEKS)
    known = [
        values[other]
        for other in others
        if other in values and not any(one.is_between(min(day, other), max(day, other)) for one in breaks)
    ]
    return median(known) if known else None


def plausible_zeros(zeros: AbstractSet[date], stated: Mapping[date, int]) -> frozenset[date]:
    """Return those of `zeros` that are plausible beside the package's other days.

    `zeros` are the days that the registry counted for everybody, and this package with 0; `stated` are its
    response. A day is plausible where the median of the same weekdays is at most 10; with fewer than two of
    them, the three days before and after count as well. A day without any neighbour is not.
    """
    own = {**{day: value for day, value in stated.items() if value > 0}, **dict.fromkeys(zeros, 0)}
    return frozenset(day for day in zeros if _is_usually_small(day, own))


def _is_usually_small(day: date, own: Mapping[date, int]) -> bool:
    known = _values_at(day, own, (7 * weeks for weeks in _NEIGHBOURING_WEEKS))
    if len(known) < _FEWEST_WEEKDAYS:
        known += _values_at(day, own, _NEIGHBOURING_DAYS)
    return bool(known) and median(known) <= MOST_USUAL_FOR_ZERO


def _values_at(day: date, values: Mapping[date, int], offsets: Iterable[int]) -> list[int]:
    days = (day + offset * ONE_DAY for offset in offsets)
    return [values[other] for other in days if other in values]


def listed(days: Iterable[date]) -> str:
    """Return days for a person: `2026-11-18, 2026-11-20 and 3 more`."""
    ordered = sorted(days)
    shown = ", ".join(day.isoformat() for day in ordered[:3])
    return shown if len(ordered) <= 3 else f"{shown} and {len(ordered) - 3} more"  # noqa: PLR2004  three fit a line


@dataclass(frozen=True, slots=True)
class Response:
    """The days of one response. `stated` are its values, `wanted` the requested days with a value above 0.

    `zeros` are the requested days that may have been 0. Those after `settled` may only be late, and have no
    note.
    """

    stated: Mapping[date, int]
    wanted: frozenset[date]
    zeros: frozenset[date]
    settled: date

    @property
    def unusually_low(self) -> list[date]:
        """The wanted days with less than half of their usual value."""
        usual = {day: usual_value(day, self.stated) or 0 for day in self.wanted}
        return [day for day in self.wanted if self.stated[day] < _LOW_SHARE * usual[day]]


@dataclass(frozen=True, slots=True)
class CheckedDays:
    """The days of one response, compared with the sentinel.

    `zeros` are the days whose 0 is believed, `held_back` those that the registry counted only in part, `low`
    those that are low for everybody. `notes` are for a person, `error` is the sentinel's.
    """

    zeros: frozenset[date] = frozenset()
    held_back: frozenset[date] = frozenset()
    low: frozenset[date] = frozenset()
    notes: tuple[str, ...] = ()
    error: SourceError | None = None

    def stated_by(self, part: Container[date]) -> CheckedDays:
        """Return what to store of one of several answers: a zero is a value of the answer that states it."""
        return replace(self, zeros=frozenset(day for day in self.zeros if day in part))


class ReadOnce(Generic[T]):
    """What several metrics of a run share: read when first needed, and only once; a failure is kept too."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._outcome: tuple[T] | SourceError | None = None

    async def value(self) -> T:
        """Return what was read.

        Raises:
            SourceError: the reading failed, now or earlier.
        """
        if self._outcome is None:
            try:
                self._outcome = (await self._read(),)
            except SourceError as error:
                self._outcome = error
        if isinstance(self._outcome, SourceError):
            raise replace(self._outcome)
        return self._outcome[0]


class Sentinel:
    """Read once in a run; a failure is kept like a response.

    Where the sentinel cannot be read, values above 0 are stored unchecked, no zero is believed, and the run
    is partial. With `is_archive` days that are not checked are held back instead: a registry gives its newest
    days again, but what is stored of an archive is final.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[], Awaitable[Mapping[date, int]]],
        breaks: Sequence[LevelBreak] = (),
        *,
        is_archive: bool = False,
    ) -> None:
        self._breaks = breaks
        self._is_archive = is_archive
        self._name = name
        self._read = read
        self._outcome: Intake | SourceError | None = None

    async def check(self, response: Response) -> CheckedDays:
        """Return what to store of a response."""
        if self._outcome is None:
            try:
                self._outcome = Intake(await self._read(), self._breaks, keeps_days=self._is_archive)
            except SourceError as error:
                self._outcome = error
        if isinstance(self._outcome, SourceError):
            return self._without_sentinel(self._outcome, response)
        checked = _checked(self._outcome, response)
        unknown = self._outcome.unknown(response.wanted) if self._is_archive else frozenset()
        return replace(checked, held_back=checked.held_back | unknown)

    def _without_sentinel(self, error: SourceError, response: Response) -> CheckedDays:
        failed = f"the sentinel {self._name} failed"
        held_back = response.wanted if self._is_archive else frozenset[date]()
        notes = (
            (response.zeros | held_back, "left open"),
            (() if held_back else response.unusually_low, "stored unchecked, though unusually low"),
        )
        texts = tuple(f"{listed(days)} {text}: {failed}" for days, text in notes if days)
        # the days differ from metric to metric; the cause is one for all
        detail = f"{failed}: {error.detail}" if error.detail else failed
        return CheckedDays(held_back=held_back, notes=texts, error=replace(error, detail=detail, fix=None))


def _checked(intake: Intake, response: Response) -> CheckedDays:
    counted = intake.counted(response.zeros)
    believed = plausible_zeros(counted, response.stated)
    held_back, low = intake.partial(response.wanted), intake.low(response.wanted)
    in_part = held_back | {day for day in response.zeros - counted if day <= response.settled}
    recent = {day for day in low if day > response.settled - _NOTED}
    notes = (
        (in_part, "not published yet, or only in part"),
        (counted - believed, "left open: 0 is not plausible beside the days around it"),
        (recent, "low for everybody: the registry counted less than 90 % of a usual day"),
    )
    texts = tuple(f"{listed(days)} {text}" for days, text in notes if days)
    return CheckedDays(believed, held_back, low, texts)
