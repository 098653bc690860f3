"""Paths of the API that have the numbers of an insight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from community_metrics.periods import Grain, last_completed

if TYPE_CHECKING:
    from datetime import date, datetime

    from community_metrics.periods import Period

_BASE: Final = "/api/v1"


def series_link(metric_id: str, grain: Grain, first: date, last: date) -> str:
    """Return the path of one metric between two days; a quarter is shown by its months."""
    shown = Grain.MONTH if grain is Grain.QUARTER else grain
    # `!s`: without it Python asks a date for its format, which takes twice as long
    return f"{_BASE}/series/{metric_id}?grain={shown.value}&from={first!s}&to={last!s}"


def total_link(period: Period, base: Period, product: str | None, now: datetime) -> str:
    """Return the path of the dashboard whose periods begin with `base` or the nearest that it can show."""
    grain = Grain.WEEK if period.grain is Grain.WEEK else Grain.MONTH
    last = last_completed(now, grain)
    if grain is Grain.WEEK:
        count, most, name, path = (last.start - base.start).days // 7 + 1, 520, "weeks", "weekly"
    else:
        months = (last.start.year - base.start.year) * 12 + last.start.month - base.start.month + 1
        count, most, name, path = months, 120, "months", "monthly"
    query = {name: min(count, most)} | ({} if product is None else {"product": product})
    return f"{_BASE}/dashboard/{path}?{urlencode(query)}"


def restatements_link(metric_id: str) -> str:
    """Return the path of the restatements of one metric."""
    return f"{_BASE}/restatements?{urlencode({'metric_id': metric_id})}"


def outages_link() -> str:
    """Return the path of the days that registries did not count, or only in part."""
    return f"{_BASE}/outages"


def status_link() -> str:
    """Return the path of what is known of each metric."""
    return f"{_BASE}/status"


def page_link(period: Period, product: str | None, now: datetime) -> str:
    """Return the path of the page that shows a product, or all, in the period."""
    query = {} if product is None else {"product": product}
    if period.grain is not Grain.WEEK:
        query["by"] = Grain.MONTH.value
    elif period.is_over(now):
        query["week"] = period.label
    return f"/?{urlencode(query)}" if query else "/"
