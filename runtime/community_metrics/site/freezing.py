"""Collects the answers that a site has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from community_metrics.api.schemas.digests import DigestList
from community_metrics.api.schemas.events import Events
from community_metrics.api.schemas.overview import Overview
from community_metrics.api.schemas.points import Definitions, Series
from community_metrics.site import paths
from community_metrics.site.feeds import FEEDS, Published, feed_file

if TYPE_CHECKING:
    from datetime import date

    from community_metrics.api.schemas.points import Definition
    from community_metrics.site.asking import Answer, FrozenApi
    from community_metrics.site.paths import OtherFile

_MOST_EVENTS: Final = 20
"""Events of a product with which its metrics are compared, the newest: each is one answer for each metric."""


@dataclass(slots=True)
class FrozenAnswers:
    """The page's answers in groups that it loads together, by the name of a group, and the other files."""

    groups: dict[str, dict[str, Answer]] = field(default_factory=dict)
    files: dict[OtherFile, bytes] = field(default_factory=dict)
    newest_week: str = ""
    oldest_week: str = ""


async def freeze(api: FrozenApi, weeks: int, address: str | None) -> FrozenAnswers:
    """Return the answers of an API for its newest weeks, and for its whole history of each metric.

    With the address at which the site is published it has feeds, whose entries link to it.

    Raises:
        SiteError: the API or storage failed.
    """
    frozen = FrozenAnswers()
    for index, path in enumerate(paths.START):
        frozen.groups[f"start-{index}"] = {path: await api.ask(path)}
    overviews = await _freeze_weeks(api, frozen, weeks)
    definitions = Definitions.model_validate_json(await api.body("/definitions"))
    shown = [metric for metric in definitions.metrics if metric.is_active]
    first = await _freeze_files(api, frozen, shown)
    await _freeze_series(api, frozen, shown, first)
    products = sorted({row.product for row in overviews[0].products})
    own = {one.metric_id: one.product for one in shown if one.product in products and not one.watch}
    for product in products:
        mine = [metric_id for metric_id, its in own.items() if its == product]
        await _freeze_events(api, frozen, product, mine)
    if address is not None:
        frozen_weeks = {overview.week for overview in overviews}
        names = {file.name for file in frozen.files}
        await _freeze_feeds(api, frozen, Published(address, own, frozen_weeks, names))
    return frozen


async def _freeze_weeks(api: FrozenApi, frozen: FrozenAnswers, weeks: int) -> list[Overview]:
    """Freeze the newest weeks, and return them, the newest first."""
    newest = Overview.model_validate_json(await api.body("/overview"))
    frozen.newest_week = newest.week
    found = [newest]
    frozen.groups["overview"] = {"/overview": await api.ask("/overview")}
    while True:
        path, insights = paths.overview_paths(found[-1].week)
        answers = {one: await api.ask(one) for one in (path, insights)}
        frozen.groups[f"week-{found[-1].week}"] = answers
        frozen.oldest_week, previous = found[-1].week, found[-1].previous
        if previous is None or len(found) >= weeks:
            return found
        found.append(Overview.model_validate_json(await api.body(paths.overview_paths(previous)[0])))


async def _freeze_files(api: FrozenApi, frozen: FrozenAnswers, metrics: list[Definition]) -> date:
    """Freeze the files that are not the page's, and return the first day that any metric has."""
    first = api.as_of.date()
    for file in paths.common_files():
        frozen.files[file] = await api.body(file.path)
    for metric in metrics:
        by_day_only = metric.unit == "uniques" and metric.source_window == "1d"
        for file in paths.metric_files(metric, by_day_only=by_day_only):
            frozen.files[file] = body = await api.body(file.path)
            if file.name.startswith("series/") and file.name.endswith(".json"):
                points = Series.model_validate_json(body).points
                first = min(first, *(point.period_start for point in points[:1]), first)
    digests = DigestList.model_validate_json(await api.body("/digests"))
    for digest in digests.digests:
        for file in paths.digest_files(digest.digest_id, digest.title):
            frozen.files[file] = await api.body(file.path)
    return first


async def _freeze_series(
    api: FrozenApi, frozen: FrozenAnswers, metrics: list[Definition], first: date
) -> None:
    for metric in metrics:
        stem = paths.file_stem(metric.metric_id)
        for key, path in paths.dashboard_paths(metric.metric_id, first, api.as_of.date()):
            route = key.partition("?")[0].rpartition("/")[2]
            frozen.groups[f"{route}-{stem}"] = {key: await api.ask(path)}


async def _freeze_events(api: FrozenApi, frozen: FrozenAnswers, product: str, metric_ids: list[str]) -> None:
    path = paths.events_path(product)
    frozen.groups[f"events-{product}"] = {path: await api.ask(path)}
    body = Events.model_validate_json(await api.body(path))
    days = {one.event_id: one.day for one in body.events} | {one.event_id: one.day for one in body.notes}
    newest = sorted(days, key=lambda event_id: (days[event_id], event_id))[-_MOST_EVENTS:]
    wanted = [paths.comparison_path(metric_id, one) for metric_id in metric_ids for one in newest]
    if wanted:
        frozen.groups[f"before-after-{product}"] = {one: await api.ask(one) for one in wanted}


async def _freeze_feeds(api: FrozenApi, frozen: FrozenAnswers, site: Published) -> None:
    for route in FEEDS:
        file = feed_file(route)
        frozen.files[file] = site.feed(route, await api.body(file.path))
