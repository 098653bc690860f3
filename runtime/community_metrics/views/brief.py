"""The terminal's short report: the headline, what changed, and one line for each product, of one week.

The table is the page's, the insights are those that the page shows first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.model import InsightKind
from community_metrics.views.insights import read_insights
from community_metrics.views.overview import read_overview
from community_metrics.views.report import load_report

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.series.insights import Insight
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.overview import Overview
    from community_metrics.views.report import Report


@dataclass(frozen=True, slots=True)
class Brief:
    """The products of the newest week with complete data, and at most four insights of it.

    `report` is the full report, for what is said below either: how old the data are, and what is not known.
    """

    overview: Overview
    foremost: tuple[Insight, ...]
    report: Report

    @property
    def has_data(self) -> bool:
        """Whether anything is stored."""
        return self.report.newest_day is not None


async def load_brief(reader: LanceDBReader, catalog: Catalog, now: datetime, *, weeks: int) -> Brief:
    """Return the short report; `weeks` are those of the full one."""
    report = await load_report(reader, catalog, now, weeks=weeks)
    overview = (await read_overview(reader, catalog, now)).build()
    insights = (await read_insights(reader, catalog, now, period=overview.week)).build()
    foremost = [insights.insights[at] for at in insights.foremost]
    if not report.has_fetched:  # nothing is usual or not before anything was read
        foremost = [one for one in foremost if one.kind is not InsightKind.SILENCE]
    return Brief(overview, tuple(foremost), report)
