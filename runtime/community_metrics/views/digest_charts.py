"""The charts of a digest: sums by period over the last periods, in which what is not complete is a gap."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import dropwhile
from typing import TYPE_CHECKING, Final, Literal

from community_metrics.model.digest_charts import (
    PERIODS,
    DigestBreak,
    DigestChart,
    DigestLine,
    DigestShare,
)
from community_metrics.periods import last_periods
from community_metrics.series.change import YEAR, break_between
from community_metrics.series.points import points
from community_metrics.views.selection import by_product, declared_breaks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.model import LevelBreak, MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.series.grid import PointGrid
    from community_metrics.series.insights import Material
    from community_metrics.series.period_totals import PeriodTotal

MOST_PRODUCTS: Final = 6
"""Products with a chart of their own, and lines of stars."""


@dataclass(frozen=True, slots=True)
class Summed:
    """The metrics of one line: those of a product, or of all of them (`product` is None)."""

    product: str | None
    name: str
    metrics: tuple[MetricDefinition, ...]


@dataclass(frozen=True)
class DigestCharts:
    """Computes the charts of a period; `products` come with the largest first."""

    material: Material
    period: Period
    total: Summed | None
    products: Sequence[Summed]
    stars: Sequence[Summed]

    def build(self) -> tuple[DigestChart, ...]:
        """Return the charts: of the total, of the largest products, of stars; one without a line is none."""
        total = [] if self.total is None else [self.total]
        alone = {one.metrics for one in total}
        own = [one for one in self.products if one.metrics not in alone and self._has_line(one)]
        more = len(own[MOST_PRODUCTS:])
        return (
            *(self._chart("total", [one], 0) for one in total if self._has_line(one)),
            *(self._chart("product", [one], more) for one in own[:MOST_PRODUCTS]),
            *self._of_stars(),
        )

    def _of_stars(self) -> Sequence[DigestChart]:
        known = [one for one in self.stars if self._has_line(one)]
        known.sort(key=lambda one: (-self._newest(one), one.name, one.product or ""))
        shown, rest = known[:MOST_PRODUCTS], known[MOST_PRODUCTS:]
        return [self._chart("stars", shown, len(rest))] if shown else []

    def _chart(
        self, about: Literal["total", "product", "stars"], lines: Sequence[Summed], more: int
    ) -> DigestChart:
        is_level = about == "stars"
        breaks = self._breaks(lines)
        drawn = [self._line(one, () if is_level else self._year_before(one, breaks)) for one in lines]
        shown = self._shown
        first = min(_leading_gaps(line.values) for line in drawn)
        return DigestChart(
            about=about,
            unit=lines[0].metrics[0].unit,
            is_level=is_level,
            periods=tuple(period.label for period in shown[first:]),
            lines=tuple(
                line.model_copy(
                    update={"values": line.values[first:], "year_before": line.year_before[first:]}
                )
                for line in drawn
            ),
            breaks=tuple(
                DigestBreak(day=one.day, reason=one.reason)
                for one in breaks
                if shown[first].start <= one.day <= shown[-1].end
            ),
            more=more,
        )

    def _line(self, one: Summed, before: Sequence[int | None]) -> DigestLine:
        return DigestLine(
            product=one.product,
            name=one.name,
            metric_ids=tuple(sorted(metric.metric_id for metric in one.metrics)),
            values=tuple(self._values(one)[-len(self._shown) :]),
            year_before=tuple(before) if any(value is not None for value in before) else (),
        )

    def _year_before(self, one: Summed, breaks: Sequence[LevelBreak]) -> list[int | None]:
        """Return the values of a year earlier, without those that were counted in another way."""
        periods = zip(self._values(one), self._grid.periods, self._shown, strict=False)
        return [
            value if break_between(breaks, earlier.start, period.end) is None else None
            for value, earlier, period in periods
        ]

    def _breaks(self, lines: Sequence[Summed]) -> list[LevelBreak]:
        """Return the changes of counting since the first value that a chart may compare with."""
        metrics = [metric for one in lines for metric in one.metrics]
        found = {one for metric in metrics for one in declared_breaks(metric)}
        days = (self._grid.periods[0].start, self.period.end)
        return sorted((one for one in found if days[0] < one.day <= days[1]), key=lambda one: one.day)

    def _has_line(self, one: Summed) -> bool:
        """Return whether there are two values: one alone shows nothing that a table does not."""
        return sum(value is not None for value in self._values(one)[-len(self._shown) :]) > 1

    def _newest(self, one: Summed) -> int:
        return next((value for value in reversed(self._values(one)) if value is not None), 0)

    def _values(self, one: Summed) -> list[int | None]:
        return self._grid.complete_totals([self._rows[metric.metric_id] for metric in one.metrics])

    @cached_property
    def _shown(self) -> list[Period]:
        return last_periods(self.period, PERIODS[self.period.grain])

    @cached_property
    def _grid(self) -> PointGrid:
        """The points of all metrics, as far back as the year before the first period that is shown."""
        summed = [*([] if self.total is None else [self.total]), *self.products, *self.stars]
        known = {metric.metric_id: metric for one in summed for metric in one.metrics}
        periods = last_periods(self.period, len(self._shown) + YEAR[self.period.grain])
        return points(list(known.values()), self.material.readings, periods, self.material.now)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {metric.metric_id: row for row, metric in enumerate(self._grid.metrics)}


def _leading_gaps(values: Sequence[int | None]) -> int:
    """Return how many periods there are before the first value: a sum begins with its youngest series."""
    return len(values) - len(list(dropwhile(lambda value: value is None, values)))


def stars_of(stars: Sequence[MetricDefinition], names: dict[str, str]) -> list[Summed]:
    """Return the stars of each product, over all of its repositories."""
    return [Summed(name, names[name], tuple(own)) for name, own in by_product(stars).items()]


def shares_of(total: PeriodTotal) -> tuple[DigestShare, ...]:
    """Return the parts of a total; without shares unless every series is complete."""
    is_whole = not total.lacking
    return tuple(
        DigestShare(sdk=part.sdk, value=part.value, share=part.share if is_whole else None)
        for part in total.parts
    )
