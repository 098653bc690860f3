"""The points of a dashboard as rows, as `/series` has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def points_of(board: Mapping[str, Any], metric_id: str) -> list[dict[str, Any]]:
    """Return the points of a metric of a dashboard, one object for each period."""
    (metric,) = (
        one for product in board["products"] for one in product["metrics"] if one["metric_id"] == metric_id
    )
    return rows_of(board["periods"], metric["points"])


def rows_of(periods: Mapping[str, list[Any]], columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one object for each period; an item that is alone counts for every period."""
    count = len(periods["period_start"])
    lists = [one if isinstance(one, list) else [one] * count for one in columns.values()]
    names = [*periods, *columns]
    return [dict(zip(names, items, strict=True)) for items in zip(*periods.values(), *lists, strict=True)]
